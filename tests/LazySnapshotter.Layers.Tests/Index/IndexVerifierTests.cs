using System.IO.Compression;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Tests.Gzip;
using LazySnapshotter.Layers.Tests.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Layers.Verify;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Index;

// Indexes that are right, and indexes that lie with all checksums in order: what verification is for.
public sealed class IndexVerifierTests : IDisposable
{
    private const long SpanLength = 20_000;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fresh_index_is_proved_in_every_respect(bool isPlain)
    {
        var tar = Sample();
        using var layer = BuiltLayer.Of(isPlain ? tar : Packed(tar), SpanLength);
        var report = await VerifyAsync(layer.Index, layer.Blob);

        Assert.True(report.IsSound, Describe(report));
        Assert.Equal(layer.Spans.Count, Check(report, "span contents").Compared);
        Assert.Equal(layer.Spans.Count, Check(report, "span digests").Compared);
        Assert.Equal(layer.Toc.Count, Check(report, "TOC times").Compared);
        if (!isPlain)
            Assert.Equal(layer.Spans.Count - 1, Check(report, "checkpoints").Compared);
        Assert.True(layer.Spans.Count > 3, "the sample should have some spans");
    }

    [Fact]
    public async Task Several_members_and_empty_blocks_are_no_difference()
    {
        var tar = Sample();
        byte[] blob = [.. TestGzip.Member(
            tar[..70_000]), .. TestGzip.Frame(tar[70_000..], TestGzip.Stored(tar[70_000..], 3000, emptyBlocks: 2)), 0, 0, 0];
        using var layer = BuiltLayer.Of(blob, 1000);
        var report = await VerifyAsync(layer.Index, blob);
        Assert.True(report.IsSound, Describe(report));
    }

    [Fact]
    public async Task Another_layer_of_the_same_length_differs_in_its_digests()
    {
        var tar = Sample();
        using var layer = BuiltLayer.Of(tar, SpanLength);
        var other = (byte[])tar.Clone();
        other[100_000] ^= 1;
        var report = await VerifyAsync(layer.Index, other);

        Assert.Contains("its digest is", First(report, "layer"), StringComparison.Ordinal);
        Assert.Equal(1, Check(report, "span digests").DifferenceCount);
        Assert.Equal(layer.Spans.Find(100_000).Value, Check(report, "span digests").First!.Span);
    }

    [Fact]
    public async Task A_broken_layer_is_told_from_a_wrong_index()
    {
        using var layer = BuiltLayer.Of(Packed(Sample()), SpanLength);
        var broken = (byte[])layer.Blob.Clone();
        broken[^6] ^= 1; // the CRC
        var report = await VerifyAsync(layer.Index, broken);
        Assert.Contains("the layer itself cannot be read", First(report, "layer"), StringComparison.Ordinal);
        Assert.Equal(0, Check(report, "span contents").DifferenceCount);

        report = await VerifyAsync(layer.Index, broken[..(broken.Length / 2)]);
        Assert.Contains("cut short", First(report, "layer"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TOC types and modes", "dir/file-3", "600")]
    [InlineData("TOC owners", "dir/file-3", "7:0")]
    [InlineData("TOC times", "dir/file-3", "999999999")]
    [InlineData("TOC sizes and data", "dir/file-3", "the index")]
    [InlineData("TOC names", "dir/another", "not in the layer")]
    [InlineData("TOC link targets", "link", "elsewhere")]
    [InlineData("TOC hard links", "dir/file-0", "other inodes")]
    [InlineData("TOC xattrs", "dir/file-3", "user.x")]
    public async Task An_entry_that_differs_is_named_with_both_values(string check, string path, string part)
    {
        using var layer = BuiltLayer.Of(Packed(Sample()), SpanLength);
        using var index = LyingIndex.Write(layer, _folder.Path, toc: TocOf(Sample(check)));
        var report = await VerifyAsync(index, layer.Blob);

        Assert.False(report.IsSound);
        Assert.Equal(path, Check(report, check).First!.Path);
        Assert.Contains(part, First(report, check), StringComparison.Ordinal);
        Assert.Equal(0, Check(report, "span contents").DifferenceCount);
    }

    [Fact]
    public async Task Every_kind_of_lie_about_spans_is_named_with_the_span()
    {
        using var layer = BuiltLayer.Of(Packed(Sample()), SpanLength);
        var (bits, offsets, digests) = LyingIndex.Columns(layer.Spans);

        var lying = (byte[])digests.Clone();
        lying[(2 * SHA256.HashSizeInBytes) + 5] ^= 1;
        using (var index = LyingIndex.Write(
            layer, _folder.Path, spans: new SpanTable(bits, offsets, lying, layer.Spans.CompressedLength, layer.Spans.UncompressedLength)))
            AssertOnly(await VerifyAsync(index, layer.Blob), "span digests", span: 2);

        using (var index = LyingIndex.Write(layer, _folder.Path, windowOf: i => i == 3 ? 1 : i))
            AssertOnly(await VerifyAsync(index, layer.Blob), "span contents", span: 3);

        long[] shifted = [.. bits];
        shifted[2]++;
        using (var index = LyingIndex.Write(layer, _folder.Path, spans: new SpanTable(
            shifted, offsets, digests, layer.Spans.CompressedLength, layer.Spans.UncompressedLength)))
        {
            var report = await VerifyAsync(index, layer.Blob);
            Assert.Equal(2, Check(report, "checkpoints").First!.Span);
            Assert.Contains($"bit {shifted[2]}", First(report, "checkpoints"), StringComparison.Ordinal);
        }

        long[] moved = [.. offsets];
        moved[2] += 10;
        using (var index = LyingIndex.Write(
            layer, _folder.Path, spans: new SpanTable(bits, moved, digests, layer.Spans.CompressedLength, layer.Spans.UncompressedLength)))
        {
            var report = await VerifyAsync(index, layer.Blob);
            Assert.Contains(
                $"uncompressed offset {offsets[2]}, the index says {moved[2]}", First(report, "checkpoints"), StringComparison.Ordinal);
            Assert.True(Check(report, "span contents").DifferenceCount > 0);
        }
    }

    [Fact]
    public async Task Spans_that_go_on_from_others_are_proved_too()
    {
        using var continued = new ContinuedLayer();
        var layer = continued.Built;
        Assert.True((await VerifyAsync(layer.Index, layer.Blob)).IsSound);

        var (bits, offsets, digests) = LyingIndex.Columns(layer.Spans);
        var areContinued = Enumerable.Range(0, layer.Spans.Count).Select(i => layer.Spans.IsContinued(new SpanId(i))).ToArray();
        var span = Array.LastIndexOf(areContinued, true);
        long[] shifted = [.. bits];
        shifted[span]++;
        await AssertDoesNotGoOnAsync(shifted, areContinued, span);

        // A checkpoint is no place to go on: there the block has ended.
        var start = Array.LastIndexOf(areContinued, false);
        bool[] lying = [.. areContinued];
        lying[start] = true;
        await AssertDoesNotGoOnAsync(bits, lying, start);

        async Task AssertDoesNotGoOnAsync(long[] startBits, bool[] whichGoOn, int span)
        {
            using var index = LyingIndex.Write(layer, _folder.Path, spans: new SpanTable(
                startBits, offsets, digests, layer.Spans.CompressedLength, layer.Spans.UncompressedLength, whichGoOn), windowOf: i =>
                    whichGoOn[i] ? 0 : i);
            var contents = Check(await VerifyAsync(index, layer.Blob), "span contents");
            Assert.Equal(span - 1, contents.First!.Span);
            Assert.Contains("the next span does not go on where this one ends", contents.First.What, StringComparison.Ordinal);
            Assert.True(contents.DifferenceCount >= 2, "the span that cannot go on counts as well");
        }
    }

    [Fact]
    public async Task Spans_that_drift_far_apart_are_given_up_instead_of_kept_in_memory()
    {
        // A hundred megabytes of zeros in a hundred kilobytes: an index that says they come before all but a few compressed bytes.
        var zeros = new byte[1 << 20];
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(new TestTar().Add("big", size: 100L << 20).WithoutEnd());
            for (var i = 0; i < 100; i++)
            {
                gzip.Write(zeros);
                gzip.Flush();
            }

            gzip.Write(new byte[1024]);
        }

        using var layer = BuiltLayer.Of(packed.ToArray(), 10 << 20);
        var (bits, offsets, digests) = LyingIndex.Columns(layer.Spans);
        for (var i = 1; i < offsets.Length; i++)
        {
            offsets[i] = i;
            bits[i] = (packed.Length - (offsets.Length - i)) * 8;
        }

        (offsets[^3], offsets[^2]) = (40L << 20, 80L << 20);
        offsets[^1] = layer.Spans.UncompressedLength - 1;
        using var index = LyingIndex.Write(layer, _folder.Path, spans: new SpanTable(
            bits, offsets, digests, layer.Spans.CompressedLength, layer.Spans.UncompressedLength));
        var report = await VerifyAsync(index, layer.Blob);
        Assert.Contains("nothing behind it was compared", First(report, "span contents"), StringComparison.Ordinal);
    }

    private static void AssertOnly(IndexVerificationReport report, string check, int span)
    {
        var differing = Assert.Single(report.Checks, one => one.DifferenceCount > 0);
        Assert.Equal(check, differing.Name);
        Assert.Equal(1, differing.DifferenceCount);
        Assert.Equal(span, differing.First!.Span);
    }

    private static Task<IndexVerificationReport> VerifyAsync(LayerIndex index, byte[] blob) =>
        IndexVerifier.VerifyAsync(index, new TrickleStream(blob, 7), new IndexVerificationOptions(), CancellationToken.None);

    private static IndexCheck Check(IndexVerificationReport report, string name) => report.Checks.Single(check => check.Name == name);

    private static string First(IndexVerificationReport report, string name) => Check(report, name).First?.What ?? Describe(report);

    private static string Describe(IndexVerificationReport report) =>
        string.Join('\n', report.Checks.Select(check => $"{check.Name}: {check.DifferenceCount} of {check.Compared}: {check.First?.What}"));

    /// <summary>A tree with some of everything; one entry is another than it was when a check is named.</summary>
    private static byte[] Sample(string? change = null)
    {
        var random = new Random(42);
        var tar = new TestTar().Directory("dir/");
        for (var i = 0; i < 6; i++)
        {
            var changes = i == 3 ? change : null;
            var data = new string('x', 15_000 + i) + string.Concat(Enumerable.Range(0, 10_000).Select(_ => (char)('a' + random.Next(26))));
            if (changes == "TOC xattrs")
                tar.Pax(("SCHILY.xattr.user.x", "1"));
            tar.Add(
                changes == "TOC names"
                    ? "dir/another"
                    : $"dir/file-{i}", data: data[..(changes == "TOC sizes and data" ? 20_000 : data.Length)],
                mode: changes == "TOC types and modes" ? 0x180 : 0x1A4, uid: changes == "TOC owners" ? 7 : 0,
                mtime: changes == "TOC times" ? 999_999_999 : 1_000_000_000);
        }

        return tar.Add("link", '2', link: change == "TOC link targets" ? "elsewhere" : "dir/file-1")
            .Add("same", '1', link: change == "TOC hard links" ? "dir/file-0" : "dir/file-1").End();
    }

    /// <summary>Many blocks that refer back over their beginnings.</summary>
    private static byte[] Packed(byte[] tar)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true))
        {
            foreach (var piece in tar.Chunk(5000))
            {
                deflate.Write(piece);
                deflate.Flush();
            }
        }

        return TestGzip.Frame(tar, deflated.ToArray(), fullHeader: true);
    }

    private static LayerToc TocOf(byte[] tar)
    {
        var toc = new TocBuilder();
        var parser = new TarParser(toc);
        parser.Append(tar);
        parser.Complete();
        return toc.Build();
    }
}
