using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Copy;

// What a copy came to. A blob that several manifests share counts once.
public sealed record ImageCopyResult
{
    /// <summary>What the target's tag names now.</summary>
    public required Descriptor Root { get; init; }

    public int ManifestsCopied { get; init; }

    /// <summary>The target had them, and so all their blobs.</summary>
    public int ManifestsPresent { get; init; }

    /// <summary>Of the manifests, those that refer to others.</summary>
    public int Referrers { get; init; }

    public Tally Uploaded { get; init; }

    public Tally Mounted { get; init; }

    public Tally Present { get; init; }

    /// <summary>
    /// Layers that stay where their URLs say; entries of indexes that are no manifests, and of lists of referrers that are wrong;
    /// indexes that an image names and that are not there.
    /// </summary>
    public IReadOnlyList<Descriptor> LeftOut { get; init; } = [];

    public TimeSpan Elapsed { get; init; }

    public readonly record struct Tally(int Blobs, long Bytes)
    {
        public Tally Plus(long bytes) => new(Blobs + 1, Bytes + bytes);
    }
}
