using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// An image that containerd has pulled, read from its content store. Only what was pulled is there: of an image index
// mostly one platform, and of an image whose layers are served lazily no layer at all.
public sealed class ContainerdImageSource(string name, ContainerdClient containerd, string reference) : IImageSource
{
    public string Name => name;

    public async Task<IReadOnlyList<SourceImage>> FindImagesAsync(PlatformSelection platforms, CancellationToken cancellationToken)
    {
        var root = await FindRootAsync(cancellationToken);
        var documents = new ImageDocuments(name, ReadDocumentAsync);
        return await documents.FindAsync(await documents.AsIndexAsync(root, cancellationToken), platforms, cancellationToken);
    }

    public IBlobReader OpenLayer(Descriptor layer) => new StoredBlob(containerd, layer);

    public ValueTask DisposeAsync()
    {
        containerd.Dispose();
        return ValueTask.CompletedTask;
    }

    // containerd's names are complete ones; people leave docker.io and latest out.
    private async Task<Descriptor> FindRootAsync(CancellationToken cancellationToken)
    {
        if (await containerd.Images.FindAsync(reference, cancellationToken) is { } asWritten)
            return asWritten;
        if (ImageReference.TryParse(reference, out var complete)
            && await containerd.Images.FindAsync(complete.ToString(), cancellationToken) is { } found)
            return found;
        throw new IOException($"{name}: containerd's namespace {containerd.NamespaceName} has no such image");
    }

    private async Task<byte[]?> ReadDocumentAsync(Descriptor descriptor, int lengthMax, CancellationToken cancellationToken)
    {
        if (await containerd.Content.FindAsync(descriptor.Digest, cancellationToken) is not { } info)
            return null;
        if (info.Size > lengthMax || info.Size == 0)
            throw new InvalidDataException($"{name}: {descriptor.Digest}: a document of {info.Size} bytes");
        var content = new byte[info.Size];
        await using var stream = containerd.Content.OpenRead(descriptor.Digest, 0, info.Size, cancellationToken);
        await stream.ReadExactlyAsync(content, cancellationToken);
        return content;
    }

    private sealed class StoredBlob(ContainerdClient containerd, Descriptor layer) : IBlobReader
    {
        public Digest Digest => layer.Digest;

        public async Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken) =>
            new(await OpenAsync(offset, length, cancellationToken), offset, offset + length);

        public Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) =>
            OpenAsync(0, layer.Size, cancellationToken);

        private async Task<Stream> OpenAsync(long offset, long length, CancellationToken cancellationToken)
        {
            var info = await containerd.Content.FindAsync(layer.Digest, cancellationToken)
                ?? throw new IOException(
                    $"{layer.Digest}: not in containerd's content store (a layer served lazily is not); read it from its registry");
            if (offset < 0 || length < 0 || length > info.Size - offset)
                throw new IOException($"{layer.Digest}: bytes {offset} to {offset + length} of {info.Size} in containerd's content store");
            return length == 0 ? Stream.Null : containerd.Content.OpenRead(layer.Digest, offset, length, cancellationToken);
        }
    }
}
