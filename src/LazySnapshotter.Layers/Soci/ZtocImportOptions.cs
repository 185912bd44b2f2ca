using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Soci;

/// <summary>How to take over a zTOC.</summary>
public sealed record ZtocImportOptions
{
    /// <summary>The descriptor of the zTOC says `disable-xattrs`: the layer is to show none.</summary>
    public bool DropXattrs { get; init; }

    /// <summary>The layer's diff ID as its image gives it; null where that is not known. A zTOC has none.</summary>
    public Digest? DiffId { get; init; }

    /// <summary>
    /// The first bytes of the blob, if they are at hand; <see cref="Ztoc.NeedsBlobStart"/> says whether they are of use.
    /// With the whole gzip header in them the first span of an old zTOC is right in any case; without them it is where
    /// soci assumes it to be, at byte 10.
    /// </summary>
    public ReadOnlyMemory<byte> BlobStart { get; init; }
}
