using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Node.Tests;

// What a node keeps of its layers, and a registry of its own that they come from.
internal sealed class TestNode : IAsyncDisposable
{
    public const string Repository = "test/image";

    private TestNode(TestRegistry registry, RegistryOptions options)
    {
        Registry = registry;
        Client = new RegistryClient(options, NullLogger.Instance);
        Indexes = new LayerIndexStore(Directory.Path);
        Blobs = BlobStore.Open(Directory.Path);
    }

    public TestDirectory Directory { get; } = TestDirectory.Create();

    public TestRegistry Registry { get; }

    public RegistryClient Client { get; }

    public LayerIndexStore Indexes { get; }

    public BlobStore Blobs { get; }

    public ImageReference Reference => Registry.Reference(Repository);

    public LayerOrigin Origin => new(Reference, Manifest: null);

    public static async Task<TestNode> StartAsync(RegistryOptions? options = null) =>
        new(await TestRegistry.StartAsync(), options ?? new RegistryOptions { RetryLimit = 0 });

    public Descriptor AddLayer(byte[] blob) => Registry.Content.AddBlob(Repository, blob);

    public StreamedIndexSource Builder() => new(Client, Indexes, Blobs, 1, NullLoggerFactory.Instance);

    public LayerCatalog Catalog(params ILayerIndexSource[] sources) => Catalog(NullLoggerFactory.Instance, sources);

    public LayerCatalog Catalog(ILoggerFactory log, params ILayerIndexSource[] sources) =>
        new(Indexes, Blobs, Client, new SpanCache(), new LayerCatalogOptions { Sources = sources }, log);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Blobs.Dispose();
        await Registry.DisposeAsync();
        await Directory.DisposeAsync();
    }
}
