using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Artifacts.Tests;

// An image in a registry that counts its requests, and as many nodes as a test wants. Artifacts can be put there from
// outside, as another program would have left them.
internal sealed class PublishedImage : IAsyncDisposable
{
    public const string Repository = "test/image";

    private readonly TestDirectory _directory = TestDirectory.Create();
    private readonly List<Descriptor> _referrers = [];
    private readonly List<RegistryClient> _clients = [];
    private int _nodes;

    private PublishedImage(TestRegistry registry) => Registry = registry;

    public TestRegistry Registry { get; }

    public IReadOnlyList<byte[]> Blobs { get; private set; } = [];

    /// <summary>Lowest first.</summary>
    public IReadOnlyList<Descriptor> Layers { get; private set; } = [];

    public byte[] ConfigBytes { get; private set; } = [];

    public Descriptor Manifest { get; private set; } = null!;

    public ImageReference Reference => Registry.Reference(Repository);

    public LayerOrigin Origin => new(Reference, Manifest.Digest);

    public CapturedLogs Logs { get; } = new();

    public MovableClock Clock { get; } = new();

    /// <summary>In a registry without the referrers API, unless the options say otherwise.</summary>
    /// <param name="annotations">Of the image's manifest, by the layers it will have.</param>
    public static async Task<PublishedImage> StartAsync(
        int layerCount = 2, Func<PublishedImage, Task<Dictionary<string, string>>>? annotations = null, TestRegistryOptions? options = null)
    {
        var image = new PublishedImage(await TestRegistry.StartAsync(options ?? new TestRegistryOptions { ReferrersApi = false }));
        image.Blobs = [.. Enumerable.Range(0, layerCount).Select(MakeLayer)];
        image.Layers = [.. image.Blobs.Select(blob => image.Registry.Content.AddBlob(Repository, blob, MediaTypes.OciLayerGzip))];
        var diffIds = string.Join(',', image.Blobs.Select(blob => $"\"{DiffIdOf(blob)}\""));
        image.ConfigBytes = Encoding.UTF8.GetBytes($$$"""{"rootfs":{"type":"layers","diff_ids":[{{{diffIds}}}]}}""");
        var config = image.Registry.Content.AddBlob(Repository, image.ConfigBytes, MediaTypes.OciConfig);
        var content = OciJson.WriteManifest(new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = config,
            Layers = image.Layers,
            Annotations = annotations is null ? null : await annotations(image),
        });
        image.Manifest = image.Registry.Content.AddManifest(Repository, "latest", MediaTypes.OciManifest, content);
        return image;
    }

    /// <summary>A client that remembers nothing.</summary>
    public RegistryClient NewClient()
    {
        var client = new RegistryClient(new RegistryOptions { RetryLimit = 0 }, Logs);
        _clients.Add(client);
        return client;
    }

    public IndexDiscovery NewDiscovery(RegistryClient client) =>
        new(client, new DiscoveryTimes(TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(5), Clock), Logs);

    /// <summary>An empty root directory.</summary>
    public string NewRoot() => _directory.MakeDirectory("node" + _nodes++);

    public LayerIndexStore NewNode() => new(NewRoot());

    /// <summary>A node that has the indexes of the first layers.</summary>
    public async Task<LayerIndexStore> NewNodeWithIndexesAsync(int? count = null)
    {
        var store = NewNode();
        for (var i = 0; i < (count ?? Layers.Count); i++)
            (await store.BuildAsync(Layers[i].Digest, new MemoryStream(Blobs[i]), new LayerIndexOptions(), default)).Dispose();
        return store;
    }

    public async Task<byte[]> BuildZtocAsync(int layer, long spanLength = 64 << 10)
    {
        var ztoc = new MemoryStream();
        await ZtocBuilder.BuildAsync(new MemoryStream(Blobs[layer]), ztoc, new ZtocOptions { SpanLength = spanLength }, default);
        return ztoc.ToArray();
    }

    public Descriptor AddBlob(byte[] content) => Registry.Content.AddBlob(Repository, content);

    /// <summary>Puts an artifact into the registry and lists it under the fallback tag.</summary>
    public Descriptor AddReferrer(byte[] manifest)
    {
        var (_, entry) = ReferrersIndex.EntryOf(MediaTypes.OciManifest, manifest, "test");
        Registry.Content.AddManifest(Repository, tag: null, MediaTypes.OciManifest, manifest);
        _referrers.Add(entry);
        var index = OciJson.WriteIndex(new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = _referrers });
        Registry.Content.AddManifest(Repository, ReferrersIndex.TagOf(Manifest.Digest), MediaTypes.OciIndex, index);
        return entry;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        await Registry.DisposeAsync();
        await _directory.DisposeAsync();
        Logs.Dispose();
    }

    // Some compressible, some not, so that there are several spans.
    private static Digest DiffIdOf(byte[] blob)
    {
        using var tar = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
        return Digest.FromSha256(SHA256.HashData(tar));
    }

    private static byte[] MakeLayer(int seed)
    {
        var random = new Random(seed);
        var layer = new MemoryStream();
        using (var gzip = new GZipStream(layer, CompressionLevel.Optimal, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
        {
            for (var i = 0; i < 60 + seed; i++)
            {
                var content = new byte[30_000];
                random.NextBytes(content.AsSpan(0, 10_000));
                tar.WriteEntry(
                    new PaxTarEntry(TarEntryType.RegularFile, $"layer{seed}/file{i}") { DataStream = new MemoryStream(content) });
            }
        }

        return layer.ToArray();
    }
}
