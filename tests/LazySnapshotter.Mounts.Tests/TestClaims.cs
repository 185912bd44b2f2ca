using System.IO.Compression;
using System.Security.Cryptography;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Mounts.Tests;

internal static class TestClaims
{
    /// <summary>What an image with this one layer says of it, and it is true.</summary>
    public static LayerClaim Of(byte[] blob)
    {
        using var tar = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
        return new LayerClaim(Digest.OfSha256(blob), "", Digest.FromSha256(SHA256.HashData(tar)).ToString());
    }
}
