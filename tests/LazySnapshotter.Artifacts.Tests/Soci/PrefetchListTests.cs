using System.Text;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Artifacts.Tests.Soci;

public sealed class PrefetchListTests
{
    [Fact]
    public void Ranges_come_by_priority_and_no_span_comes_twice()
    {
        var ranges = Parse("""
            {"version":"1.0","prefetch_spans":[
                {"start_span":10,"end_span":12,"priority":2},
                {"start_span":3,"end_span":5},
                {"start_span":4,"end_span":7},
                {"start_span":0,"end_span":14,"priority":3},
                {"start_span":11,"end_span":11,"priority":1, "unknown": "ignored, as soci does"}]}
            """, spanCount: 15);

        Assert.Equal(
            ["3-5", "6-7", "11-11", "10-10", "12-12", "0-2", "8-9", "13-14"], ranges.Select(range => $"{range.First}-{range.Last}"));
    }

    [Fact]
    public void Many_overlapping_ranges_of_a_large_layer_take_no_time()
    {
        var all = string.Join(',', Enumerable.Repeat("""{"start_span":0,"end_span":999999}""", 60_000));
        Assert.Equal([new SpanRangeToWarm(new SpanId(0), new SpanId(999_999))], Parse(
            $$"""{"version":"1.0","prefetch_spans":[{{all}}]}""", spanCount: 1_000_000));
    }

    [Theory]
    [InlineData("""{"version":"1.1","prefetch_spans":[{"start_span":0,"end_span":0}]}""", "version")]
    [InlineData("""{"prefetch_spans":[{"start_span":0,"end_span":0}]}""", "version")]
    [InlineData("""{"version":"1.0"}""", "prefetch_spans")]
    [InlineData("""{"version":"1.0","prefetch_spans":[]}""", "0 ranges")]
    [InlineData("""{"version":"1.0","prefetch_spans":null}""", "prefetch")]
    [InlineData("""{"version":"1.0","prefetch_spans":[null]}""", "range 0")]
    [InlineData("""{"version":"1.0","prefetch_spans":[{"start_span":0}]}""", "end_span")]
    [InlineData("""{"version":"1.0","prefetch_spans":[{"start_span":"0","end_span":0}]}""", "start_span")]
    [InlineData("""{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":1},{"start_span":4,"end_span":3}]}""", "range 1")]
    [InlineData("""{"version":"1.0","prefetch_spans":[{"start_span":-1,"end_span":3}]}""", "range 0")]
    [InlineData("""{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":5}]}""", "range 0")]
    [InlineData("""{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":99999999999}]}""", "end_span")]
    [InlineData("""[]""", "prefetch list")]
    [InlineData("""{"version":"1.0","prefetch_spans":[{"start_span":0,"end_sp""", "prefetch list")]
    public void A_list_that_makes_no_sense_is_refused(string json, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => Parse(json, spanCount: 5)).Message, StringComparison.Ordinal);

    private static IReadOnlyList<SpanRangeToWarm> Parse(string json, int spanCount) =>
        PrefetchList.Parse(Encoding.UTF8.GetBytes(json), spanCount);
}
