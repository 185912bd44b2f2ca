using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;

namespace LazySnapshotter.Artifacts.Sources;

/// <summary>An image in a registry; its layers stream in as they are read, and nothing of them stays.</summary>
/// <param name="registry">Stays its owner's.</param>
public sealed class RegistryImageSource(RegistryClient registry, ImageReference reference) : IImageSource
{
    public string Name => reference.ToString();

    public async Task<IReadOnlyList<SourceImage>> FindImagesAsync(PlatformSelection platforms, CancellationToken cancellationToken)
    {
        var root = await registry.GetManifestAsync(reference, cancellationToken);
        var documents = new ImageDocuments(Name, async (descriptor, _, ct) =>
            descriptor.Digest == root.Descriptor.Digest ? root.Content
            : MediaTypes.IsIndex(descriptor.MediaType) || MediaTypes.IsManifest(descriptor.MediaType)
                ? await registry.GetManifestAsync(reference, descriptor, ct)
            : await registry.GetBlobBytesAsync(reference, descriptor, ct));
        return await documents.FindAsync(await documents.AsIndexAsync(root.Descriptor, cancellationToken), platforms, cancellationToken);
    }

    public IBlobReader OpenLayer(Descriptor layer) => registry.OpenBlob(reference, layer);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
