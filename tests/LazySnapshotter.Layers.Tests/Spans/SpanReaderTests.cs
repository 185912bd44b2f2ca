using System.Collections.Concurrent;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Store;
using Xunit.Abstractions;

namespace LazySnapshotter.Layers.Tests.Spans;

public sealed class SpanReaderTests(ITestOutputHelper output) : IDisposable
{
    private const int Kilo = 1 << 10;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(500, 20, 0)]                // spans of a few bits up to 20 bytes: most share bytes
    [InlineData(3 << 20, 30_000, 0)]
    [InlineData(3 << 20, 30_000, 4 << 20)]  // with read-ahead
    [InlineData(3 << 20, 300_000, 1 << 20)]
    public async Task Concurrent_random_reads_equal_the_original(int blobBytes, int spanBytesMax, int readAheadBytesMax)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var layer = TestLayer.Random(seed, blobBytes, spanBytesMax);
        var server = layer.Serve();
        server.Standing = new Fault { ChunkBytes = 7001 };
        for (var i = 0; i < 6; i++)
            server.Then(new Fault { ChunkBytes = 5003, EndAfter = spanBytesMax / 2 * i, CorruptAt = 0 });
        await using var h = new LayerHarness(
            layer, _folder.Path, server, new() { ReadAheadBytesMax = readAheadBytesMax, RequestBytesMax = 1 << 20 }, new SpanCache(
                256 * Kilo));

        await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(reader => Task.Run(() => ReadRandomlyAsync(h, new Random(seed + reader), areSomeCancelled: true))));
        await h.ReadAndCompareAsync(0, layer.Tar.Length);
        Assert.True(h.Blob.IsFull);
        await h.Fetcher.DisposeAsync();
        output.WriteLine($"{server.Requests.Count} requests, {server.BytesSent} bytes for {layer.Blob.Length}, {layer.Spans.Count} spans");
    }

    [Fact]
    public async Task Concurrent_readers_fetch_and_decode_each_span_once()
    {
        var decoded = new int[20];
        var layer = TestLayer.Uniform(20, 1100 * Kilo); // too long to be bridged, over whatever link
        await using var h = new LayerHarness(
            layer, _folder.Path, options: LayerHarness.NoReadAhead, decode: (span, compressed, destination) =>
        {
            Interlocked.Increment(ref decoded[span.Value]);
            Thread.Sleep(1);
            TestLayer.Decode(span, compressed, destination);
        });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(reader => Task.Run(() => ReadRandomlyAsync(h, new Random(reader)))));
        await h.ReadAndCompareAsync(0, layer.Tar.Length);
        Assert.All(decoded, count => Assert.Equal(1, count));
        Assert.Equal(layer.Blob.Length, h.Server.BytesSent);
    }

    [Fact]
    public async Task What_is_here_is_read_synchronously_on_the_same_thread_without_garbage()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(10, 50 * Kilo), _folder.Path);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        var buffer = new byte[120 * Kilo];
        var decodingThread = 0;
        var reader = new SpanReader(h.Blob, h.Fetcher, h.Cache, new DelegateDecoder((span, compressed, destination) =>
        {
            decodingThread = Environment.CurrentManagedThreadId;
            TestLayer.Decode(span, compressed, destination);
        }));

        h.Cache.Drop(h.Blob); // from the store
        Assert.True(IsDone(reader.ReadAsync(10_000, buffer, default)));
        Assert.Equal(Environment.CurrentManagedThreadId, decodingThread);
        Assert.Equal(h.Layer.Tar[10_000..(10_000 + buffer.Length)], buffer);

        // From the cache. The first round is the compiler's.
        long allocated = 0;
        for (var round = 0; round < 2; round++)
        {
            allocated = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
                Assert.True(IsDone(reader.ReadAsync(10_000 + i, buffer, default)));
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        }

        Assert.InRange(allocated, 0, 1000);
    }

    [Fact]
    public async Task A_read_waits_for_what_its_decoder_lacks_and_tries_again_after_a_failure()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(10, 50 * Kilo), _folder.Path);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        h.Cache.Drop(h.Blob);
        var decoder = new LateDecoder();
        var reader = new SpanReader(h.Blob, h.Fetcher, h.Cache, decoder);
        var buffer = new byte[120 * Kilo]; // three spans
        var reading = reader.ReadAsync(40 * Kilo, buffer, default).AsTask();
        Assert.False(reading.IsCompleted);
        Assert.Equal([0, 1, 2, 3], decoder.Asked.Order());

        decoder.Arrive(new IOException("the registry is down"));
        Assert.Equal("the registry is down", (await Assert.ThrowsAsync<IOException>(() => reading)).Message);
        reading = reader.ReadAsync(40 * Kilo, buffer, default).AsTask();
        decoder.Arrive();
        Assert.Equal(buffer.Length, await reading.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(h.Layer.Tar.AsSpan(40 * Kilo, buffer.Length).SequenceEqual(buffer));
        Assert.True(IsDone(reader.ReadAsync(60 * Kilo, buffer.AsMemory(0, 100), default)));
        Assert.Equal(8, decoder.Asked.Count);
    }

    [Fact]
    public async Task The_end_of_the_layer_is_a_short_read()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(3, Kilo), _folder.Path);
        await h.ReadAndCompareAsync((3 * Kilo) - 10, 100);
        Assert.Equal(0, await h.Reader.ReadAsync(3 * Kilo, new byte[10], default));
        Assert.Equal(0, await h.Reader.ReadAsync(long.MaxValue, new byte[10], default));
        Assert.Equal(0, await h.Reader.ReadAsync(0, Memory<byte>.Empty, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await h.Reader.ReadAsync(-1, new byte[10], default));
    }

    [Fact]
    public async Task A_read_that_was_cancelled_before_asks_for_nothing()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(3, Kilo), _folder.Path);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await h.Reader.ReadAsync(0, new byte[10], new CancellationToken(true)));
        Assert.Empty(h.Server.Requests);
    }

    [Fact]
    public async Task Warming_fetches_without_inflating()
    {
        await using var h = new LayerHarness(
            TestLayer.Uniform(64, 16 * Kilo), _folder.Path, options: new() { RequestBytesMax = 256 * Kilo });
        await h.Reader.WarmAsync(h.Layer.StartOf(8), 48 * 16 * Kilo, default);
        Assert.Equal(48, h.Blob.PresentCount);
        Assert.Equal(3, h.Server.Requests.Count);
        Assert.Equal(0, h.Cache.UsedBytes);
        await h.Reader.WarmAsync(0, long.MaxValue, default);
        Assert.True(h.Blob.IsFull);
        await h.Reader.WarmAsync(long.MaxValue, 1, default);
    }

    [Fact]
    public async Task Intact_bytes_that_do_not_inflate_are_an_error_that_names_them()
    {
        await using var h = new LayerHarness(
            TestLayer.Uniform(4, Kilo), _folder.Path, decode: (_, _, _) => throw new InvalidDataException("no such code at bit 17"));
        for (var i = 0; i < 2; i++)
        {
            var failure = await Assert.ThrowsAsync<InvalidDataException>(() => h.ReadSpanAsync(2));
            Assert.Contains($"{h.Layer.Digest}: span 2 (bytes 2048 to 3071)", failure.Message, StringComparison.Ordinal);
            Assert.Contains("bit 17", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, h.Cache.UsedBytes);
        Assert.Single(h.Server.Requests);
    }

    [Fact]
    public async Task Bytes_that_changed_on_disk_after_they_were_verified_are_fetched_again_if_they_do_not_inflate()
    {
        TestLayer layer = TestLayer.Uniform(4, Kilo);
        await using var h = new LayerHarness(
            layer, _folder.Path, options: LayerHarness.NoReadAhead, cache: new SpanCache(0), decode: (span, compressed, destination) =>
        {
            if (!compressed.SequenceEqual(layer.BlobOf(span.Value)))
                throw new InvalidDataException("nonsense");
            TestLayer.Decode(span, compressed, destination);
        });
        await h.ReadSpanAsync(2);
        using (var file = File.Open(h.SparsePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = (2 * Kilo) + 5;
            file.Write([1, 2, 3, 4]);
        }

        await h.ReadSpanAsync(2);
        Assert.Equal(2, h.Server.Requests.Count);
    }

    [Fact]
    public async Task Reads_go_on_while_the_whole_blob_arrives()
    {
        var layer = TestLayer.Random(3, 2 << 20, 10_000);
        await using var h = new LayerHarness(layer, _folder.Path, cache: new SpanCache(100 * Kilo));
        var readers = Enumerable.Range(0, 4).Select(reader => Task.Run(() => ReadRandomlyAsync(h, new Random(reader)))).ToArray();
        using (var writer = h.Store.CreateWriter(layer.Digest, layer.Blob.Length))
        {
            foreach (var chunk in layer.Blob.Chunk(100_000))
                writer.Write(chunk);
            Assert.True(await writer.CompleteAsync(default));
        }

        await Task.WhenAll(readers);
        Assert.True(h.Blob.IsComplete);
        Assert.DoesNotContain(h.Log.Lines, line => line.Contains("damaged", StringComparison.Ordinal));
    }

    // Lacks something for every span until it arrives.
    private sealed class LateDecoder : ISpanDecoder
    {
        private readonly ConcurrentDictionary<int, bool> _ready = [];
        private readonly ConcurrentQueue<(int Span, TaskCompletionSource Done)> _waiting = [];
        private readonly ConcurrentQueue<int> _asked = [];

        public IReadOnlyCollection<int> Asked => [.. _asked];

        public bool IsReady(SpanId span) => _ready.ContainsKey(span.Value);

        public ValueTask PrepareAsync(SpanId span, CancellationToken cancellationToken)
        {
            _asked.Enqueue(span.Value);
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((span.Value, done));
            return new ValueTask(done.Task);
        }

        public void Arrive(Exception? failure = null)
        {
            while (_waiting.TryDequeue(out var waiting))
            {
                if (failure is not null)
                {
                    waiting.Done.SetException(failure);
                    continue;
                }

                _ready[waiting.Span] = true;
                waiting.Done.SetResult();
            }
        }

        public void Decode(SpanId span, SpanHistory history, ReadOnlySpan<byte> compressed, Span<byte> destination)
        {
            Assert.True(IsReady(span));
            TestLayer.Decode(span, compressed, destination);
        }

        public void Start(SpanId span, SpanHistory history, long uncompressedLength) => throw new NotSupportedException();
    }

    private static bool IsDone(ValueTask<int> read) => read.IsCompletedSuccessfully;

    private static async Task ReadRandomlyAsync(LayerHarness h, Random random, bool areSomeCancelled = false)
    {
        var tarLength = h.Layer.Tar.Length;
        for (var i = 0; i < 150; i++)
        {
            var offset = random.Next(tarLength);
            var length = random.Next(4) == 0 ? random.Next(1, tarLength / 4) : random.Next(1, Math.Min(tarLength, 5000));
            using var cancellation = new CancellationTokenSource();
            if (areSomeCancelled && random.Next(4) == 0)
                cancellation.CancelAfter(random.Next(3));
            try
            {
                await h.ReadAndCompareAsync(offset, length, cancellation.Token).WaitAsync(TimeSpan.FromSeconds(30));
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                // As told.
            }
            catch (SpanFetchException)
            {
                // The server was told to misbehave; the same read must do in the end.
                i--;
            }
        }
    }
}
