using LazySnapshotter.Oci;
using LazySnapshotter.OddImages.Tars;

namespace LazySnapshotter.OddImages;

// A layer as its image will name it: blob, media type, and the digest of its tar.
internal sealed record OddLayer(OddBlob Blob, Digest DiffId)
{
    public static OddLayer Of(Dice dice, string mark, bool isDocker)
    {
        var tar = OddTar.Build(dice, mark);
        return new OddLayer(OddBlob.Of(dice, tar, isDocker), Digest.OfSha256(tar));
    }
}
