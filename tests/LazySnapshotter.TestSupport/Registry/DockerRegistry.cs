using System.Security.Cryptography.X509Certificates;
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
    public static async Task<DockerRegistry> StartAsync(bool deletes = false, bool useTls = false)
    {
        var directory = TestDirectory.Create();
        try
        {
            var configuration = directory.Combine("config.yml");
            var certificateFile = useTls ? directory.Combine("certificate.pem") : null;
            if (certificateFile is not null)
                await WriteCertificateAsync(certificateFile);
            await File.WriteAllTextAsync(configuration, $"""
                version: 0.1
                storage:
                  filesystem:
                    rootdirectory: {directory.Combine("data")}
                  delete:
                    enabled: {(deletes ? "true" : "false")}
                http:
                  addr: 127.0.0.1:0
                {(useTls ? $"  tls: {{certificate: {certificateFile}, key: {certificateFile}}}" : "")}
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
    public async Task<string> PushAsync(string location, string name)
    {
        var reference = $"{Address}/{name}";
        (await ProcessRunner.RunAsync("skopeo", [
            "copy", "--quiet", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false", location, "docker://" + reference,
        ])).Checked();
        return reference;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _directory.DisposeAsync();
    }

    private static async Task WriteCertificateAsync(string file)
    {
        using var certificate = TestCertificate.Create();
        using var key = certificate.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
    }

    [GeneratedRegex("listening on ([0-9.]+:[0-9]+)")]
    private static partial Regex ListeningOn();
}
