using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Pull;

public interface IPullSource
{
    Task<(PullDocument? Index, PullDocument Manifest)> ResolveAsync(ImageReference reference, Platform platform, CancellationToken cancellationToken);

    Task<byte[]> GetBlobBytesAsync(ImageReference reference, Descriptor descriptor, CancellationToken cancellationToken);

    IBlobReader OpenBlob(ImageReference reference, Digest digest, long size);
}
