using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Gzip;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.Layers.Tests.Store;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Spans;

// A layer with a real index in which most spans go on from the one before: many small files in long blocks, and some that do not
// compress.
internal sealed class ContinuedLayer : IDisposable
{
    private int _stores;

    public ContinuedLayer()
    {
        var random = new Random(11);
        var tar = new TestTar();
        for (var i = 0; i < 1500; i++)
            tar.Add($"file{i}", data: Text(random, random.Next(20) == 0 ? 60_000 : 1 + random.Next(4000)));
        for (var i = 0; i < 40; i++)
            tar.Add($"noise{i}", data: Noise(random, 5000 + random.Next(10_000)));
        var bytes = tar.End();
        Built = BuiltLayer.Of(TestGzip.Frame(bytes, TestGzip.Flushed(bytes, 500_000)));
        Layer = TestLayer.Of(Built.Blob, bytes, Built.Spans);
    }

    public BuiltLayer Built { get; }

    public TestLayer Layer { get; }

    public SpanTable Spans => Built.Spans;

    public int RunCount => Enumerable.Range(0, Spans.Count).Count(i => !Spans.IsContinued(new SpanId(i)));

    /// <summary>Nothing is fetched but what reads ask for.</summary>
    public LayerHarness Harness(string folder, int cacheBytes) => new(
        Layer, Path.Combine(folder, $"store{_stores++}"), options: LayerHarness.NoReadAhead, cache: new SpanCache(
            cacheBytes), decoder: new SpanDecoder(Built.Index));

    public void Dispose() => Built.Dispose();

    private static string Text(Random random, int length)
    {
        var words = new System.Text.StringBuilder();
        while (words.Length < length)
            words.Append(Convert.ToString(random.Next(1 << random.Next(4, 24)), 8)).Append(random.Next(9) == 0 ? '\n' : ' ');
        return words.ToString(0, length);
    }

    private static string Noise(Random random, int length) => string.Create(length, random, (span, from) =>
    {
        foreach (ref var value in span)
            value = (char)from.Next(256);
    });
}
