using System.Text.RegularExpressions;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Registry;

// The distribution project's registry, as Debian packages it, on a free port of the loopback interface: the peer that
// everybody's client must work with.
public sealed partial class DockerRegistry : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);

    private readonly TestDirectory _directory;
    private readonly BackgroundProcess _process;

    private DockerRegistry(TestDirectory directory, BackgroundProcess process, string address, string? certificateFile)
    {
        _directory = directory;
        _process = process;
        Address = address;
        CertificateFile = certificateFile;
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>For a registry that speaks TLS: what a client must be told to trust (SSL_CERT_FILE).</summary>
    public string? CertificateFile { get; }

    /// <summary>The same port by a name that does not look like loopback, and that the client's hosts file must know.</summary>
    public string OtherAddress => TestCertificate.OtherName + Address[Address.IndexOf(':', StringComparison.Ordinal)..];

    public string Log => _process.Log;

    /// <param name="deletes">Manifests may be deleted, which is not the registry's own default.</param>
    /// <param name="htpasswd">Lines of a htpasswd file (bcrypt): nobody else gets in, and the challenge is Basic.</param>
    /// <param name="storage">Where it keeps everything; else in a folder of its own.</param>
    /// <param name="redirectTo">Blobs are answered with a redirect to this base URL, followed by the path of their file in the
    /// storage.</param>
    public static async Task<DockerRegistry> StartAsync(
        bool deletes = false, bool useTls = false, string? htpasswd = null, string? storage = null, string? redirectTo = null)
    {
        var directory = TestDirectory.Create();
        try
        {
            var configuration = directory.Combine("config.yml");
            var certificateFile = useTls ? directory.Combine("certificate.pem") : null;
            if (certificateFile is not null)
                await TestCertificate.WriteAsync(certificateFile);
            if (htpasswd is not null)
                await File.WriteAllTextAsync(directory.Combine("htpasswd"), htpasswd);
            await File.WriteAllTextAsync(configuration, $"""
                version: 0.1
                storage:
                  filesystem:
                    rootdirectory: {storage ?? directory.Combine("data")}
                  delete:
                    enabled: {(deletes ? "true" : "false")}
                http:
                  addr: 127.0.0.1:0
                {(useTls ? $"  tls: {{certificate: {certificateFile}, key: {certificateFile}}}" : "")}
                {(htpasswd is null ? "" : $"auth: {{htpasswd: {{realm: tests, path: {directory.Combine("htpasswd")}}}}}")}
                {(redirectTo is null ? "" : $"middleware: {{storage: [{{name: redirect, options: {{baseurl: \"{redirectTo}\"}}}}]}}")}
                """);
            var process = BackgroundProcess.Start("docker-registry", ["serve", configuration]);
            try
            {
                await process.WaitUntilAsync("listening", () => Task.FromResult(ListeningOn().IsMatch(process.Log)), StartTimeout);
                return new DockerRegistry(directory, process, ListeningOn().Match(process.Log).Groups[1].Value, certificateFile);
            }
            catch
            {
                await process.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await directory.DisposeAsync();
            throw;
        }
    }

    /// <summary>Copies an image as it is, digests unchanged.</summary>
    /// <returns>The reference to pull it by.</returns>
    public Task<string> PushAsync(TestImage image) => PushAsync(image.Location, $"test/{image.Name}:{TestImage.Tag}");

    /// <param name="location">As skopeo names it, for example <c>oci:/path:tag</c>.</param>
    /// <param name="name">Repository and tag.</param>
    /// <inheritdoc cref="PushAsync(TestImage)"/>
    /// <param name="login">User and password, <c>name:password</c>.</param>
    public async Task<string> PushAsync(string location, string name, string? login = null)
    {
        var reference = $"{Address}/{name}";
        (await ProcessRunner.RunAsync("skopeo", [
            "copy", "--quiet", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false",
            .. login is null ? Array.Empty<string>() : ["--dest-creds", login], location, "docker://" + reference,
        ])).Checked();
        return reference;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _directory.DisposeAsync();
    }

    [GeneratedRegex("listening on ([0-9.]+:[0-9]+)")]
    private static partial Regex ListeningOn();
}
