using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Blobs;

namespace LazySnapshotter.Registry.Push;

// A blob on its way into a registry: its digest and size are known beforehand, its bytes come as a stream and are checked
// against both while they pass. A push that has to be repeated opens the stream again.
public sealed class BlobContent
{
    private readonly Func<CancellationToken, Task<Stream>> _open;

    /// <param name="open">The stream is disposed of after each use.</param>
    /// <param name="canReopen">Whether <paramref name="open"/> may be called more than once; if not, nothing is repeated.</param>
    public BlobContent(Digest digest, long size, Func<CancellationToken, Task<Stream>> open, bool canReopen = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Digest = digest;
        Size = size;
        CanReopen = canReopen;
        _open = open;
    }

    public Digest Digest { get; }

    public long Size { get; }

    public bool CanReopen { get; }

    public static BlobContent OfBytes(ReadOnlyMemory<byte> bytes) =>
        new(Digest.OfSha256(bytes.Span), bytes.Length, _ => Task.FromResult<Stream>(new MemoryStream(bytes.ToArray(), writable: false)));

    /// <param name="digest">Of the file's content.</param>
    public static BlobContent OfFile(string path, Digest digest) => new(digest, new FileInfo(path).Length, _ => Task.FromResult<Stream>(
        new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan)));

    /// <summary>A blob of another repository or registry.</summary>
    public static BlobContent OfRemote(RemoteBlob blob) =>
        new(blob.Digest, blob.Size ?? throw new ArgumentException("the blob's size is not known", nameof(blob)),
            ct => blob.OpenAsync(ReadPriority.Background(), ct))
        { Remote = blob };

    /// <summary>Where it comes from, if that is a registry: pushing it then takes a place at two hosts.</summary>
    internal RemoteBlob? Remote { get; private init; }

    internal Task<Stream> OpenAsync(CancellationToken cancellationToken) => _open(cancellationToken);
}
