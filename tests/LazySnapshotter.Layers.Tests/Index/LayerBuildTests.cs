using System.Diagnostics;
using System.IO.Pipelines;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Gzip;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Deflate;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Index;

// Building an index on several threads: the same file however the bytes come, everything in it checked against the layer
// by other means, and nothing left behind when it ends early.
public sealed class LayerBuildTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Placements => ["adaptive", "uniform"];

    [Theory]
    [MemberData(nameof(Placements))]
    public void Every_span_has_its_digest_and_decodes_with_what_its_window_keeps(string placement)
    {
        var tar = ManyFiles(seed: 1, length: 5_000_000);
        var blob = TestGzip.Frame(tar, TestGzip.Flushed(tar, 40_000));
        using var layer = Build(blob, placement);
        Assert.InRange(layer.Spans.Count, 4, 200);
        Assert.Equal(Digest.OfSha256(tar), layer.Index.DiffId);
        Assert.True(tar.AsSpan().SequenceEqual(layer.ReadTar(0, tar.Length)), placement); // digests are checked on the way

        var windowed = 0;
        var kept = 0L;
        for (var i = 1; i < layer.Spans.Count; i++)
        {
            var window = layer.Index.LoadWindow(new SpanId(i)).ToArray();
            if (window.Length == 0)
                continue;
            windowed++;
            var before = (int)layer.Spans[new SpanId(i)].UncompressedOffset;
            var real = tar.AsSpan(Math.Max(0, before - window.Length), Math.Min(before, window.Length));
            for (var j = 0; j < real.Length; j++)
            {
                var value = window[window.Length - real.Length + j];
                Assert.True(value == 0 || value == real[j], "a window has other bytes than the layer");
                kept += value == 0 ? 0 : 1;
            }
        }

        Assert.True(windowed > 0 && kept < windowed * 20_000L, $"{kept} bytes of {windowed} windows are kept");
    }

    [Theory]
    [MemberData(nameof(Placements))]
    public void The_pieces_in_which_a_layer_comes_make_no_difference(string placement)
    {
        var tar = ManyFiles(seed: 2, length: 12_000_000);
        var blob = TestGzip.Frame(tar, TestGzip.Flushed(tar, 60_000));
        var indexes = Enumerable.Range(0, 3).Select(seed =>
        {
            using var layer = Build(blob, placement, seed);
            return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(layer.Path)));
        });
        Assert.Single(indexes.Distinct());
    }

    [Fact]
    public void Adaptive_spans_are_short_where_files_are_small()
    {
        var small = ManyFiles(seed: 3, length: 4_000_000)[..^1024];
        var large = new TestTar().Add("large", data: Latin1(ManyFiles(seed: 3, length: 4_000_000))).End();
        byte[] tar = [.. small, .. large];
        using var layer = BuiltLayer.Of(TestGzip.Frame(tar, TestGzip.Flushed(tar, 30_000)));
        var inSmall = layer.Spans.Find(small.Length).Value;
        Assert.True(
            inSmall > 3 * (layer.Spans.Count - inSmall) / 2, $"{inSmall} spans of {layer.Spans.Count} in the half with small files");
    }

    [Fact]
    public void An_uncompressed_tar_is_cut_where_files_start()
    {
        var files = new TestTar();
        for (var i = 0; i < 40; i++)
            files.Add($"file{i}", data: new string('x', 200_000 + i));
        using var layer = BuiltLayer.Of(files.End());
        Assert.True(layer.Spans.Count >= 40);
        foreach (var entry in Enumerable.Range(0, 40))
        {
            var start = layer.Toc.Extents(layer.Entry($"file{entry}"))[0].UncompressedOffset;
            if (entry > 0)
                Assert.Equal(start, layer.Spans[layer.Spans.Find(start)].UncompressedOffset);
        }

        Assert.Equal(layer.Blob, layer.ReadTar(0, layer.Blob.Length));
    }

    [Fact]
    public void An_uncompressed_tar_of_directories_alone_has_spans_too()
    {
        var directories = new TestTar();
        for (var i = 0; i < 2000; i++)
            directories.Directory($"directory{i}");
        using var layer = BuiltLayer.Of(directories.End());
        Assert.Equal(2001, layer.Toc.Count);
        Assert.Equal(layer.Blob, layer.ReadTar(0, layer.Blob.Length));
    }

    [Fact]
    public void A_file_of_many_members_has_windowless_spans_but_not_one_for_each()
    {
        var tar = ManyFiles(seed: 5, length: 6_000_000);
        using var blob = new MemoryStream();
        for (var start = 0; start < tar.Length; start += 65_280) // as bgzip cuts
            blob.Write(TestGzip.Member(tar[start..Math.Min(tar.Length, start + 65_280)]));
        using var layer = BuiltLayer.Of(blob.ToArray());
        Assert.InRange(Enumerable.Range(0, layer.Spans.Count).Count(i => !layer.Spans.IsContinued(new SpanId(i))), 10, 92);
        Assert.All(Enumerable.Range(0, layer.Spans.Count), i => Assert.Equal(0, layer.Index.LoadWindow(new SpanId(i)).Length));
        Assert.True(tar.AsSpan().SequenceEqual(layer.ReadTar(0, tar.Length)));
    }

    [Fact]
    public void One_block_longer_than_any_span_should_be_is_one_span()
    {
        // 20 MB of one letter: a single block, and behind it others.
        var tar = new TestTar().Add("block", data: new string('x', 20_000_000)).Add("small", data: "small").End();
        using var deflated = new MemoryStream();
        using (var deflate = new System.IO.Compression.DeflateStream(
            deflated, System.IO.Compression.CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(tar);
        using var layer = BuiltLayer.Of(TestGzip.Frame(tar, deflated.ToArray()));
        Assert.True(tar.AsSpan().SequenceEqual(layer.ReadTar(0, tar.Length)));
        Assert.Equal("small"u8.ToArray(), layer.ReadFile(layer.Entry("small")));
    }

    [Theory]
    [InlineData(63, true)]
    [InlineData(65, false)]
    public void A_layer_of_one_block_is_one_span_if_it_is_no_longer_than_a_span_may_be(int files, bool isSupported)
    {
        var tar = new TestTar();
        for (var i = 0; i < files; i++)
            tar.Add($"file{i}", data: new string((char)('a' + (i % 26)), (1 << 20) - 512));
        var bytes = tar.End();
        var blob = TestGzip.Frame(bytes, OneBlock(bytes));
        if (!isSupported)
        {
            Assert.Contains("no deflate block starts in 67108864 uncompressed bytes", Assert.Throws<UnsupportedLayerException>(
                () => BuiltLayer.Of(blob)).Message, StringComparison.Ordinal);
            return;
        }

        using var layer = BuiltLayer.Of(blob);
        Assert.Equal(1, layer.Spans.Count);
        Assert.True(bytes.AsSpan().SequenceEqual(layer.ReadTar(0, bytes.Length)));
    }

    [Fact]
    public void Small_and_empty_layers_have_one_span()
    {
        var empty = new TestTar().End();
        using (var layer = BuiltLayer.Of(TestGzip.Member(empty)))
            Assert.Equal((1, 1), (layer.Spans.Count, layer.Toc.Count));
        using (var layer = BuiltLayer.Of(empty))
            Assert.Equal((1, 1), (layer.Spans.Count, layer.Toc.Count));
        using (var layer = BuiltLayer.Of(TestGzip.Member([])))
            Assert.Equal((1, 0L), (layer.Spans.Count, layer.Spans.UncompressedLength));
        using (var layer = BuiltLayer.Of(TestGzip.Member(new TestTar().Add("a", data: "b").End())))
            Assert.Equal("b"u8.ToArray(), layer.ReadFile(layer.Entry("a")));
        Assert.Contains("the layer is empty", BuiltLayer.RefusalOf([]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_thing_wrong_is_what_is_said_and_the_copy_goes_as_far_as_the_bytes_came()
    {
        var tar = ManyFiles(seed: 6, length: 3_000_000);
        var member = TestGzip.Frame(tar, TestGzip.Flushed(tar, 50_000));
        member[^8] ^= 1; // the CRC; and behind it there is garbage, which another thread sees first
        using var copy = new MemoryStream();
        var options = new LayerIndexOptions { CopyTo = bytes => copy.Write(bytes.Span) };
        byte[] blob = [.. member, .. "garbage"u8];
        var message = (await Assert.ThrowsAsync<InvalidDataException>(() => BuildAsync(new TrickleStream(blob, 1), options))).Message;
        Assert.Matches("^gzip, compressed offset [0-9]+: the member at 0 has CRC", message);
        Assert.True(blob.AsSpan().StartsWith(copy.ToArray()));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_source_that_fails_fails_the_build_with_its_own_words()
    {
        var blob = TestGzip.Member(ManyFiles(seed: 7, length: 2_000_000));
        var source = new Interrupted(new MemoryStream(blob), blob.Length / 2, new IOException("connection reset"));
        Assert.Equal(
            "connection reset", (await Assert.ThrowsAsync<IOException>(() => BuildAsync(source, new LayerIndexOptions()))).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));

        var copied = 0;
        var options = new LayerIndexOptions { CopyTo = _ => throw new IOException($"disk full {++copied}") };
        Assert.Equal("disk full 1", (await Assert.ThrowsAsync<IOException>(() => BuildAsync(new TrickleStream(blob, 1), options))).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_damaged_start_is_refused_while_the_source_still_waits_for_more()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(RandomBytes(8, BlobChunk.LengthMax)); // and nothing more ever comes
        await Assert.ThrowsAsync<InvalidDataException>(
            () => BuildAsync(pipe.Reader.AsStream(), new LayerIndexOptions()).WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_build_that_is_cancelled_in_the_middle_leaves_no_file_and_no_thread()
    {
        var blob = TestGzip.Member(ManyFiles(seed: 9, length: 3_000_000));
        for (var round = 0; round < 5; round++)
        {
            using var cancellation = new CancellationTokenSource();
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            await pipe.Writer.WriteAsync(blob.AsMemory(0, blob.Length * round / 5));
            var building = LayerIndexBuilder.BuildAsync(
                pipe.Reader.AsStream(), _folder["index"], new LayerIndexOptions(), cancellation.Token);
            await Task.Delay(10 * round);
            Assert.False(building.IsCompleted);
            await cancellation.CancelAsync();
            var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => building.WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.Equal(cancellation.Token, cancelled.CancellationToken);
            Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
        }

        // Other tests may be building: theirs end, ours would wait for ever.
        var patience = Stopwatch.StartNew();
        while (ThreadNames().Any(name => name.StartsWith("index-", StringComparison.Ordinal)))
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(60), string.Join(", ", ThreadNames()));
            await Task.Delay(50);
        }
    }

    private Task<LayerIndexBuildResult> BuildAsync(Stream blob, LayerIndexOptions options) =>
        LayerIndexBuilder.BuildAsync(blob, _folder["index"], options, CancellationToken.None);

    private static BuiltLayer Build(byte[] blob, string placement, int seed = 1) =>
        BuiltLayer.Of(blob, seed: seed, placement: placement switch
    {
        "uniform" => CheckpointPlacement.Uniform(300_000),
        _ => CheckpointPlacement.Adaptive,
    });

    private static IEnumerable<string> ThreadNames() => Directory.EnumerateDirectories("/proc/self/task").Select(task =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim();
        }
        catch (IOException)
        {
            return ""; // it has just ended
        }
    });

    /// <summary>Files of a few kilobytes that resemble each other, and some larger ones.</summary>
    private static byte[] ManyFiles(int seed, int length)
    {
        var random = new Random(seed);
        var words = Latin1(RandomBytes(seed, 3000));
        var tar = new TestTar();
        for (var (total, i) = (0, 0); total < length; i++)
        {
            var content = new System.Text.StringBuilder();
            var size = random.Next(20) == 0 ? random.Next(300_000) : random.Next(6000);
            while (content.Length < size)
                content.Append(words, random.Next(2900), random.Next(4, 40)).Append("\n\n"[..random.Next(3)]);
            tar.Add($"directory/file{i}", data: content.ToString());
            total += content.Length + 1024;
        }

        return tar.End();
    }

    private static byte[] RandomBytes(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static string Latin1(byte[] bytes) => System.Text.Encoding.Latin1.GetString(bytes);

    private sealed class Interrupted(Stream inner, long after, Exception failure) : Stream
    {
        private long _left = after;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_left == 0)
                throw failure;
            var length = inner.Read(buffer, offset, (int)Math.Min(count, _left));
            _left -= length;
            return length;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>One fixed block: literals, and repetitions of a byte.</summary>
    private static byte[] OneBlock(byte[] content)
    {
        var bits = new DeflateBits().FixedHeader(isLast: true);
        for (var i = 0; i < content.Length;)
        {
            var run = i == 0 ? 0 : content.AsSpan(i, Math.Min(258, content.Length - i)).IndexOfAnyExcept(content[i - 1]);
            if (run < 0 && content.Length - i >= 258)
            {
                bits.FixedSymbol(285).Code(0, 5); // 258 times the byte before
                i += 258;
            }
            else
            {
                bits.FixedSymbol(content[i++]);
            }
        }

        return bits.FixedSymbol(256).ToArray();
    }
}
