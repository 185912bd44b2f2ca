using LazySnapshotter.Oci;

namespace LazySnapshotter.Snapshots.Model;

// What an image says of one of its layers: that this blob, unpacked, is the layer that makes this chain ID of the one below.
// Nobody has checked it. A snapshot is found by its chain ID whatever image asks, so a claim that is false would show one
// image's files to another: whoever serves the blob checks it first (docs/SECURITY.md).
/// <param name="Layer">Digest of the blob, as the image's manifest lists it.</param>
/// <param name="ParentChain">Chain ID of the layers below; empty for the lowest layer.</param>
/// <param name="Chain">Chain ID of the layer on those: the name the client looks for.</param>
public sealed record LayerClaim(Digest Layer, string ParentChain, string Chain)
{
    /// <summary>Length of the blob, as the manifest says; null where the client did not pass it on.</summary>
    public long? Bytes { get; init; }

    /// <param name="diffId">What the blob really unpacks to.</param>
    public bool IsTrueOf(Digest diffId)
    {
        if (ParentChain.Length == 0)
            return Chain == ChainId.Of(null, diffId).ToString();
        return Digest.TryParse(ParentChain, out var parent) && Chain == ChainId.Of(parent, diffId).ToString();
    }
}
