using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// The rules regclient's reqmeta.DataNext is tested by (technique S1.5), its twelve cases stated as facts.
public sealed class SizeRulesTests
{
    [Fact]
    public void Where_nobody_waits_nobody_goes() => Assert.Equal(-1, Next([], [Blob(1000)]));

    [Fact]
    public void On_an_idle_host_the_oldest_goes() => Assert.Equal(0, Next([Blob(1000), Blob(1000)], []));

    [Fact]
    public void Beside_a_blob_something_small_goes_first() =>
        Assert.Equal(1, Next([Blob(1000), Manifest(1000), Blob(1_000_000)], [Blob(10_000)]));

    [Fact]
    public void Of_small_ones_a_head_goes_first_and_of_heads_the_oldest() => Assert.Equal(
        4, Next([Blob(1000), Query(0), Manifest(1000), Unknown(0), Head(0), Head(0), Blob(1_000_000)], [Blob(10_000)]));

    [Fact]
    public void Of_manifests_the_smallest_goes_first() => Assert.Equal(
        3, Next([Blob(1000), Query(0), Manifest(2000), Manifest(1000), Unknown(0), Blob(1_000_000)], [Blob(10_000)]));

    [Fact]
    public void An_unknown_size_is_not_the_smallest() => Assert.Equal(
        3, Next([Blob(1000), Query(0), Manifest(2000), Manifest(1000), Manifest(0), Unknown(0), Blob(1_000_000)], [Blob(10_000)]));

    [Fact]
    public void Beside_something_small_the_oldest_goes() =>
        Assert.Equal(0, Next([Blob(1000), Manifest(1000), Blob(1_000_000)], [Manifest(1000)]));

    [Fact]
    public void Beside_a_small_one_and_a_lesser_blob_the_largest_goes() =>
        Assert.Equal(2, Next([Blob(1000), Manifest(1000), Blob(1_000_000)], [Manifest(1000), Blob(100_000)]));

    [Fact]
    public void A_blob_on_its_way_is_large_only_beside_what_waits() =>
        Assert.Equal(2, Next([Blob(1000), Manifest(1000), Blob(200_000_000)], [Blob(1_000_000), Blob(10_000), Manifest(10_000)]));

    [Fact]
    public void Something_small_goes_before_the_largest() =>
        Assert.Equal(1, Next([Blob(1000), Manifest(1000), Blob(200_000_000)], [Blob(1_000_000), Blob(10_000), Blob(20_000)]));

    [Fact]
    public void Of_large_blobs_the_largest_goes() => Assert.Equal(
        3, Next([Blob(1000), Manifest(1000), Blob(1_000_000), Blob(2_000_000), Blob(1_500_000)],
            [Blob(20_000), Blob(10_000), Manifest(10_000)]));

    [Fact]
    public void With_enough_large_ones_on_their_way_the_oldest_goes() => Assert.Equal(
        0, Next([Blob(1000), Manifest(1000), Blob(20_000), Blob(30_000)], [Blob(100_000), Blob(2_000_000), Manifest(10_000)]));

    [Fact]
    public void A_document_above_4_MiB_is_not_small() =>
        Assert.Equal(2, Next([Blob(1000), Manifest((4 << 20) + 1), Manifest(4 << 20)], [Blob(10_000), Blob(20_000)]));

    [Fact]
    public void Blobs_of_unknown_size_are_not_large() => Assert.Equal(0, Next([Blob(0), Blob(0)], [Blob(0), Manifest(1), Blob(0)]));

    private static int Next(TurnLoad[] waiting, TurnLoad[] active) => SizeRules.Next(waiting, active);

    private static TurnLoad Blob(long bytes) => new(TurnKind.Blob, bytes);

    private static TurnLoad Manifest(long bytes) => new(TurnKind.Manifest, bytes);

    private static TurnLoad Query(long bytes) => new(TurnKind.Query, bytes);

    private static TurnLoad Head(long bytes) => new(TurnKind.Head, bytes);

    private static TurnLoad Unknown(long bytes) => new(TurnKind.Unknown, bytes);
}
