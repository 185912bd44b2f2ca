using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Tests.Pull;

// The distribution project's registry (Debian's docker-registry) on a free port, with an empty store of its own.
public sealed partial class TestRegistryServer : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lazysnap-registry-").FullName;
    private readonly HttpClient _http = new();
    private Process? _process;

    /// <summary>For image references: <c>127.0.0.1:PORT</c>.</summary>
    public string Host { get; private set; } = "";

    public async Task InitializeAsync()
    {
        var config = Path.Combine(_directory, "config.yml");
        await File.WriteAllTextAsync(config, $"""
            version: 0.1
            storage:
              filesystem:
                rootdirectory: {_directory}/store
            http:
              addr: 127.0.0.1:0
            """);
        _process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);

        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            if (ListeningOn().Match(line) is { Success: true } match)
            {
                Host = match.Groups[1].Value;
                _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null);
                return;
            }
        }

        throw new InvalidOperationException("docker-registry ended before it listened");
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    public async Task PushBlobAsync(string repository, byte[] blob)
    {
        using var start = await _http.PostAsync(new Uri($"http://{Host}/v2/{repository}/blobs/uploads/"), null);
        Assert.Equal(HttpStatusCode.Accepted, start.StatusCode);
        var location = start.Headers.Location!.ToString();
        var separator = location.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        using var put = await _http.PutAsync(
            new Uri(location + separator + "digest=" + Uri.EscapeDataString(Digest.OfSha256(blob).ToString())), new ByteArrayContent(blob));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    public async Task PushManifestAsync(string repository, string tagOrDigest, string mediaType, byte[] manifest)
    {
        using var content = new ByteArrayContent(manifest);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var put = await _http.PutAsync(new Uri($"http://{Host}/v2/{repository}/manifests/{tagOrDigest}"), content);
        Assert.True(put.StatusCode == HttpStatusCode.Created, await put.Content.ReadAsStringAsync());
    }

    /// <summary>Changes a stored blob behind the registry's back, as a bad disk or a bad proxy would. Twice mends it.</summary>
    public void FlipBit(Digest digest)
    {
        var path = PathOf(digest);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 0x40;
        File.WriteAllBytes(path, bytes);
    }

    public void RemoveBlob(Digest digest) => File.Delete(PathOf(digest));

    private string PathOf(Digest digest) => Path.Combine(_directory, "store/docker/registry/v2/blobs/sha256", digest.Hex[..2], digest.Hex, "data");

    [GeneratedRegex("listening on (127\\.0\\.0\\.1:[0-9]+)")]
    private static partial Regex ListeningOn();
}
