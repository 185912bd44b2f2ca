using System.Text;

namespace LazySnapshotter.Oci.Tests;

public sealed class ChainIdTests
{
    [Fact]
    public void The_lowest_is_its_diff_id_and_each_other_hashes_what_is_below()
    {
        Digest[] diffIds = [Digest.OfSha256("a"u8), Digest.OfSha256("b"u8), Digest.OfSha256("c"u8)];
        var chain = ChainId.ForEachLayer(diffIds);
        Assert.Equal(diffIds[0], chain[0]);
        Assert.Equal(Digest.OfSha256(Encoding.ASCII.GetBytes($"{diffIds[0]} {diffIds[1]}")), chain[1]);
        Assert.Equal(Digest.OfSha256(Encoding.ASCII.GetBytes($"{chain[1]} {diffIds[2]}")), chain[2]);
        // sha256("<diff ID of a> <diff ID of b>"), by sha256sum.
        Assert.Equal("sha256:51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676", chain[1].ToString());
    }

    [Fact]
    public void No_layers_have_no_chain() => Assert.Empty(ChainId.ForEachLayer([]));
}
