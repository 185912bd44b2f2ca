using System.Security.Cryptography;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Index;
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
        Assert.Contains(Enumerable.Range(0, Spans.Count).Select(i => new SpanId(i)), span =>
            Spans.IsContinued(span) && Spans[span].UncompressedOffset > noise);
        Assert.Contains(Enumerable.Range(0, Spans.Count).Select(i => new SpanId(i)), span =>
            Spans.IsContinued(span) && Spans[span].UncompressedOffset < noise);
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
        Assert.Equal(Spans.Count, h.Statistics[ReadCount.CacheMisses]);
        Assert.Equal(Spans.Count, h.Statistics[ReadCount.SpansVerified]);
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

    [Theory]
    [InlineData(1, 0)]
    [InlineData(-1, 0)]
    [InlineData(0, 1)]
    [InlineData(0, -1)]
    public async Task A_place_to_go_on_that_is_none_is_refused_by_whoever_comes_to_it(int bits, int bytes)
    {
        foreach (var place in Enumerable.Range(1, Spans.Count - 1).Where(i => Spans.IsContinued(new SpanId(i))).Where((_, i) => i % 5 == 0))
        {
            var (startBits, offsets, digests) = LyingIndex.Columns(Spans);
            startBits[place] += bits;
            offsets[place] += bytes;
            var areContinued = Enumerable.Range(0, Spans.Count).Select(i => Spans.IsContinued(new SpanId(i))).ToArray();
            using var index = LyingIndex.Write(_layer.Built, _folder.Path, spans: new SpanTable(
                startBits, offsets, DigestsOf(startBits, digests, place), Spans.CompressedLength, Spans.UncompressedLength, areContinued));
            var lie = TestLayer.Of(_layer.Layer.Blob, _layer.Layer.Tar, index.Spans);
            await using var h = new LayerHarness(
                lie, Path.Combine(_folder.Path, $"lie{place}"), options: LayerHarness.NoReadAhead, decoder: new SpanDecoder(index));

            var message = (await Assert.ThrowsAsync<InvalidDataException>(() => h.ReadSpanAsync(place))).Message;
            Assert.Matches($"span {place - 1}, compressed offset .*: (the next span does not go on where this one ends|the span is cut " +
                $"short)", message);
            await Assert.ThrowsAsync<InvalidDataException>(() => h.ReadSpanAsync(place)); // the second time it is all here
            await h.ReadAndCompareAsync(0, (int)Math.Min(offsets[place - 1], 100_000)); // what lies before is none of its business
        }
    }

    [Fact]
    public void A_history_of_another_place_is_refused()
    {
        var decoder = new SpanDecoder(_layer.Built.Index);
        var continued = Enumerable.Range(0, Spans.Count).Select(i => new SpanId(i)).First(Spans.IsContinued);
        using var history = SpanHistory.Rent();
        Assert.Throws<ArgumentException>(
            () => decoder.Decode(continued, history, _layer.Built.Compressed(continued), new byte[Spans[continued].UncompressedLength]));
    }

    /// <summary>With those of the two spans at a place that has been moved.</summary>
    private byte[] DigestsOf(long[] startBits, byte[] digests, int place)
    {
        for (var i = place - 1; i <= place; i++)
        {
            var end = i + 1 < startBits.Length ? (startBits[i + 1] + 7) / 8 : _layer.Layer.Blob.Length;
            SHA256.HashData(_layer.Layer.Blob.AsSpan((int)(startBits[i] / 8)..(int)end), digests.AsSpan(i * SHA256.HashSizeInBytes));
        }

        return digests;
    }
}
