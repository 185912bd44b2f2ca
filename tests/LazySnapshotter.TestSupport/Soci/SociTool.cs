using System.Text.RegularExpressions;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Soci;

// The real `soci` beside a test's containerd. Its content and database are always in /var/lib/soci-snapshotter-grpc, so it
// runs in a mount namespace of its own in which a folder of the test is /var/lib. In UTC, because soci writes local times.
public sealed partial class SociTool : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private readonly TestDirectory _directory = TestDirectory.Create();
    private readonly ContainerdProcess _containerd;
    private readonly bool _isPlain;
    private readonly Dictionary<string, string> _environment = new() { ["TZ"] = "UTC" };

    /// <param name="certificateFile">Of a registry that speaks TLS; null for one that speaks plain HTTP.</param>
    public SociTool(ContainerdProcess containerd, string? certificateFile = null)
    {
        _containerd = containerd;
        _isPlain = certificateFile is null;
        _directory.MakeDirectory("soci-snapshotter-grpc");
        File.WriteAllText(_directory.Combine("hosts"), SociInstallation.Hosts);
        if (certificateFile is not null)
            _environment.Add("SSL_CERT_FILE", certificateFile);
    }

    /// <summary>`soci create` of every layer, however small; the image must be in containerd.</summary>
    /// <returns>zTOCs by layer.</returns>
    public async Task<IReadOnlyDictionary<Digest, Digest>> CreateAsync(string reference, long spanLength)
    {
        var result = (await TryCreateAsync(reference, spanLength)).Checked();
        return LayerLine().Matches(result.Output).ToDictionary(
            match => Digest.Parse(match.Groups["layer"].Value), match => Digest.Parse(match.Groups["ztoc"].Value));
    }

    public Task<ProcessResult> TryCreateAsync(string reference, long spanLength) =>
        RunAsync("create", "--min-layer-size", "0", "--span-size", spanLength.ToString(
            System.Globalization.CultureInfo.InvariantCulture), reference);

    public async Task PushAsync(string reference) =>
        (await RunAsync(["push", .. _isPlain ? ["--plain-http"] : Array.Empty<string>(), reference])).Checked();

    public string PathOf(Digest ztoc) => _directory.Combine("soci-snapshotter-grpc", "content", "blobs", ztoc.Algorithm, ztoc.Hex);

    public Task<ProcessResult> RunAsync(params IEnumerable<string> arguments) => ProcessRunner.RunAsync(
        "unshare",
        [
            "--mount", "--propagation", "private", "sh", "-c",
                "mount --bind \"$0\" /var/lib && mount --bind \"$0/hosts\" /etc/hosts && exec \"$@\"", _directory.Path,
            SociInstallation.Program("soci"), "--address", _containerd.Address, "--namespace", _containerd.Namespace, .. arguments,
        ],
        Timeout, _environment);

    public ValueTask DisposeAsync() => _directory.DisposeAsync();

    // layer sha256:… -> ztoc sha256:…
    [GeneratedRegex("^layer (?<layer>sha256:[0-9a-f]+) -> ztoc (?<ztoc>sha256:[0-9a-f]+)$", RegexOptions.Multiline)]
    private static partial Regex LayerLine();
}
