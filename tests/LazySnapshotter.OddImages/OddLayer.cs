using LazySnapshotter.Oci;
using LazySnapshotter.OddImages.Tars;

namespace LazySnapshotter.OddImages;

// A layer as its image will name it: blob, media type, and the digest of its tar.
internal sealed record OddLayer(OddBlob Blob, Digest DiffId)
{
    public static OddLayer Of(Dice dice, string mark, bool isDocker)
    {
        var blob = OddBlob.Of(dice, OddTar.Build(dice, mark), isDocker);
        return new OddLayer(blob, Digest.OfSha256(blob.Tar));
    }
}
