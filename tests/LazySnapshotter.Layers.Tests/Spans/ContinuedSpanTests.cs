using LazySnapshotter.Layers.Gzip;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Store;
using Xunit.Abstractions;

namespace LazySnapshotter.Layers.Tests.Spans;

// Reading spans that go on from the one before, out of a real index: in any order, whatever is in memory, on disk, or nowhere.
public sealed class ContinuedSpanTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ContinuedLayer _layer = new();

    public ContinuedSpanTests(ITestOutputHelper output) => output.WriteLine($"{Spans.Count} spans, {_layer.RunCount} runs");

    private SpanTable Spans => _layer.Spans;

    public void Dispose()
    {
        _layer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void There_are_some_in_stored_blocks_and_in_compressed_ones()
    {
        Assert.InRange(_layer.RunCount, 2, Spans.Count / 3);
        var noise = _layer.Built.Toc.Extents(_layer.Built.Entry("noise1"))[0].UncompressedOffset;
        Assert.Contains(Enumerable.Range(0, Spans.Count).Select(i => new SpanId(i)), span => Spans.IsContinued(span) && Spans[span].UncompressedOffset > noise);
        Assert.Contains(Enumerable.Range(0, Spans.Count).Select(i => new SpanId(i)), span => Spans.IsContinued(span) && Spans[span].UncompressedOffset < noise);
        Assert.True(_layer.Layer.Tar.AsSpan().SequenceEqual(_layer.Built.ReadTar(0, _layer.Layer.Tar.Length)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    [InlineData(64 << 20)]
    public async Task All_of_them_in_any_order(int cacheBytes)
    {
        await using var h = _layer.Harness(_folder.Path, cacheBytes);
        var order = Enumerable.Range(0, Spans.Count).ToArray();
        new Random(cacheBytes).Shuffle(order);
        foreach (var span in order)
            await h.ReadSpanAsync(span);
        await h.ReadAndCompareAsync(0, _layer.Layer.Tar.Length);
    }

    [Fact]
    public async Task A_cold_read_fetches_from_its_runs_start_to_its_own_end_and_no_further()
    {
        for (var span = 0; span < Spans.Count; span += 5)
        {
            await using var h = _layer.Harness(_folder.Path, 64 << 20);
            await h.ReadSpanAsync(span);
            var (start, end) = (Spans[Spans.RunStart(new SpanId(span))].CompressedOffset, Spans[new SpanId(span)].CompressedEnd);
            Assert.Equal([(start, end - start)], h.Server.Requests);
        }
    }

    [Fact]
    public async Task Reading_on_inflates_each_span_once()
    {
        await using var h = _layer.Harness(_folder.Path, 64 << 20);
        for (var offset = 0; offset < _layer.Layer.Tar.Length; offset += 10_000)
            await h.ReadAndCompareAsync(offset, 10_000);
        Assert.Equal(Spans.Count, h.Statistics.CacheMisses);
        Assert.Equal(Spans.Count, h.Statistics.SpansVerified);
    }

    [Fact]
    public async Task Many_readers_at_once_with_hardly_any_cache()
    {
        await using var h = _layer.Harness(_folder.Path, 200_000);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(reader => Task.Run(async () =>
        {
            var random = new Random(reader);
            for (var i = 0; i < 60; i++)
                await h.ReadAndCompareAsync(random.Next(_layer.Layer.Tar.Length), random.Next(1, 100_000));
        })));
    }

    [Fact]
    public void A_history_of_another_place_is_refused()
    {
        var decoder = new SpanDecoder(_layer.Built.Index);
        var continued = Enumerable.Range(0, Spans.Count).Select(i => new SpanId(i)).First(Spans.IsContinued);
        using var history = SpanHistory.Rent();
        Assert.Throws<ArgumentException>(() => decoder.Decode(continued, history, _layer.Built.Compressed(continued), new byte[Spans[continued].UncompressedLength]));
    }
}
