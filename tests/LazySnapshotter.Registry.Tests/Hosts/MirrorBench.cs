using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Hosts;

// A registry, a mirror with the same content, a directory that says so, and a client that reads it.
internal sealed class MirrorBench : IAsyncDisposable
{
    public const string Repository = "library/python";

    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-hosts-").FullName;

    private MirrorBench(TestRegistry upstream, TestRegistry mirror, RegistryOptions options)
    {
        Upstream = upstream;
        Mirror = mirror;
        Options = options with
        {
            DockerConfigPath = Path.Combine(_folder, "config.json"),
            HostsDirectory = Path.Combine(_folder, "certs.d"),
            Clock = Clock,
        };
        Directory.CreateDirectory(Path.GetDirectoryName(HostsFilePath)!);
        Client = new RegistryClient(Options, Log);
        new Random(11).NextBytes(Content);
        Blob = upstream.Content.AddBlob(Repository, Content, MediaTypes.OciLayerGzip);
        mirror.Content.AddBlob(Repository, Content, MediaTypes.OciLayerGzip);
    }

    public TestRegistry Upstream { get; }

    public TestRegistry Mirror { get; }

    public RegistryOptions Options { get; }

    public RegistryClient Client { get; }

    public CapturedLogs Log { get; } = new();

    public MovableClock Clock { get; } = new();

    public byte[] Content { get; } = new byte[200_000];

    public Descriptor Blob { get; }

    public ImageReference Reference => Upstream.Reference(Repository);

    public string HostsFilePath => Path.Combine(_folder, "certs.d", Upstream.Host.Replace(':', '_') + "_", "hosts.toml");

    /// <param name="hostsFile">{0} is the mirror, {1} the registry itself.</param>
    public static async Task<MirrorBench> StartAsync(
        string hostsFile = "[host.\"http://{0}\"]\n", TestRegistryOptions? upstream =
            null, TestRegistryOptions? mirror = null, RegistryOptions? client = null)
    {
        var bench = new MirrorBench(
            await TestRegistry.StartAsync(upstream), await TestRegistry.StartAsync(mirror), client ?? Bench.Impatient);
        bench.WriteHosts(hostsFile);
        return bench;
    }

    public void WriteHosts(string text) =>
        File.WriteAllText(HostsFilePath, text.Replace("{0}", Mirror.Host, StringComparison.Ordinal)
            .Replace("{1}", Upstream.Host, StringComparison.Ordinal));

    public async Task AssertReadsAsync(int offset, int length)
    {
        await using var stream = await Client.OpenBlob(Reference, Blob.Digest, Blob.Size)
            .OpenExactRangeAsync(offset, length, ReadPriority.Demanded(), CancellationToken.None);
        var read = await Bench.ReadAllAsync(stream);
        Assert.True(read.AsSpan().SequenceEqual(Content.AsSpan(offset, length)), $"bytes {offset}+{length} differ");
    }

    /// <summary>What both saw since the last call, for example "mirror: Ping Blob; upstream: ".</summary>
    public string TakeRequests()
    {
        var text = $"mirror: {Kinds(Mirror)}; upstream: {Kinds(Upstream)}";
        Mirror.ClearLog();
        Upstream.ClearLog();
        return text;

        static string Kinds(TestRegistry registry) => string.Join(' ', registry.Requests.Select(r => r.Kind));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Upstream.DisposeAsync();
        await Mirror.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
