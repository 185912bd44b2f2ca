using System.Diagnostics;
using System.Text.RegularExpressions;

namespace LazySnapshotter.TestSupport.Registry;

// Debian's docker-registry (distribution 2.8), a real registry as a child process on a free port of loopback, with its
// data in a temporary folder. Ends with its test.
public sealed partial class DockerRegistry : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly Process _process;

    private DockerRegistry(string folder, Process process, string host)
    {
        _folder = folder;
        _process = process;
        Host = host;
    }

    public string Host { get; }

    public static async Task<DockerRegistry> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("lazysnap-docker-registry-").FullName;
        var config = Path.Combine(folder, "config.yml");
        await File.WriteAllTextAsync(config, $"""
            version: 0.1
            log:
              level: info
            storage:
              filesystem:
                rootdirectory: {folder}/data
            http:
              addr: 127.0.0.1:0
            """);
        var process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", config])
        {
            RedirectStandardError = true,
            Environment = { ["OTEL_TRACES_EXPORTER"] = "none" },
        })!;
        try
        {
            return new DockerRegistry(folder, process, await ReadAddressAsync(process));
        }
        catch
        {
            process.Kill();
            throw;
        }
    }

    /// <summary>Pushes an image of an OCI layout with skopeo.</summary>
    public Task PushAsync(string layoutAndTag, string repositoryAndTag) => RunAsync(
        "skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", "oci:" + layoutAndTag, $"docker://{Host}/{repositoryAndTag}");

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs a tool to its end; what it said is in the exception if it failed.</summary>
    public static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}: {errors}{await output}");
    }

    // It logs the port it got. Afterwards its log is read on, or its pipe would fill up.
    private static async Task<string> ReadAddressAsync(Process process)
    {
        using var timeout = new CancellationTokenSource(StartTimeout);
        var said = "";
        while (await process.StandardError.ReadLineAsync(timeout.Token) is { } line)
        {
            said += line + "\n";
            if (Listening().Match(line) is { Success: true } match)
            {
                _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return match.Groups[1].Value;
            }
        }

        throw new InvalidOperationException("docker-registry did not start: " + said);
    }

    [GeneratedRegex(@"listening on (127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();
}
