using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;

namespace LazySnapshotter.Registry.Copy;

// What happens during a copy, for whoever shows it. Reported from several threads, one blob's events in order.
public abstract record ImageCopyProgress
{
    private ImageCopyProgress()
    {
    }

    /// <summary>All manifests are read; the blobs follow, largest first.</summary>
    /// <param name="Blobs">Those that may have to be copied; those of manifests the target has are not among them.</param>
    public sealed record Planned(ImageDocument Root, int Manifests, IReadOnlyList<Descriptor> Blobs) : ImageCopyProgress;

    /// <param name="BytesDone">Of the descriptor's size; goes back when a transfer has to start again.</param>
    /// <param name="End">Null while it is under way.</param>
    public sealed record Blob(Descriptor Descriptor, long BytesDone, BlobPush? End) : ImageCopyProgress;
}
