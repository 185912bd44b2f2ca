using System.Security.Cryptography;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Gzip;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Soci;

// An index taken over from a zTOC: the same tree as from the tar, spans that verify by soci's digests and decode.
public sealed class ZtocImportTests : IDisposable
{
    private const int HeaderLength = ZtocCheckpoints.HeaderLength;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("taken.tar.gz", 1000)]
    [InlineData("taken.tar.gz", 4 << 20)]
    [InlineData("spans.tar.gz", 4096)]
    [InlineData("members.tar.gz", 1000)]
    [InlineData("empty-block-first.tar.gz", 1000)]
    [InlineData("zeros-behind.tar.gz", 1000)]
    [InlineData("zeros-behind.tar.gz", 65536)]
    [InlineData("unterminated.tar.gz", 4096)]
    [InlineData("empty.tar.gz", 4096)]
    [InlineData("plain.tar", 1000)]
    public async Task The_tree_is_that_of_the_tar_and_every_span_verifies_and_decodes(string layer, long spanLength)
    {
        var blob = SociFixture.Blob(layer);
        var ztoc = Ztoc.Parse(SociFixture.Write(SociFixture.Content(blob, spanLength)));
        var result = Import(ztoc, blob);
        await LayerIndexBuilder.BuildAsync(new MemoryStream(blob), _folder["own"], new LayerIndexOptions(), CancellationToken.None);

        using var own = LayerIndex.Open(_folder["own"]);
        using var index = LayerIndex.Open(_folder["index"], Digest.OfSha256(blob));
        Assert.Equal(Columns(own.Toc), Columns(index.Toc));
        Assert.Null(index.DiffId);
        Assert.Equal(new ZtocImportResult(index.Spans.Count, index.Toc.Count, index.Id, index.FileLength), result);
        AssertDecodes(index, blob, SociFixture.Tar(layer));
    }

    [Fact]
    public void Spans_before_the_first_byte_of_output_are_left_out()
    {
        var blob = SociFixture.Blob("empty-block-first.tar.gz");
        var ztoc = Ztoc.Parse(SociFixture.Write(SociFixture.Content(blob, 4096)));
        Assert.Equal((0, 0), ztoc.UncompressedRange(0));
        Assert.Equal(ztoc.SpanCount - 1, Import(ztoc, blob).SpanCount);
    }

    [Theory]
    [InlineData("spans.tar.gz", false)]
    [InlineData("spans.tar.gz", true)]
    [InlineData("features.tar.gz", true)]
    public void An_old_ztoc_leaves_its_first_checkpoint_to_the_gzip_header(string layer, bool hasBlobStart)
    {
        // features.tar.gz has a file name in its gzip header; its files are of no interest here.
        var blob = SociFixture.Blob(layer);
        var content = AsVersion1(SociFixture.Content(blob, 4096)) with { Entries = [] };
        var ztoc = Ztoc.Parse(SociFixture.Write(content));
        Assert.True(ztoc.NeedsBlobStart);
        Import(ztoc, blob, new ZtocImportOptions { BlobStart = hasBlobStart ? blob.AsMemory(0, 100) : default });

        using var index = LayerIndex.Open(_folder["index"]);
        AssertDecodes(index, blob, SociFixture.Tar(layer));
    }

    [Fact]
    public void An_old_ztoc_of_a_longer_gzip_header_fails_to_verify_in_its_first_span_alone()
    {
        var blob = SociFixture.Blob("features.tar.gz");
        var content = AsVersion1(SociFixture.Content(blob, 4096)) with { Entries = [] };
        Import(Ztoc.Parse(SociFixture.Write(content)), blob);
        using var index = LayerIndex.Open(_folder["index"]);
        Assert.Equal([0], Enumerable.Range(0, index.Spans.Count).Where(i => !Verifies(index.Spans, new SpanId(i), blob)));
    }

    [Fact]
    public void Where_a_gzip_header_ends_must_be_in_the_bytes_given()
    {
        var blob = SociFixture.Blob("features.tar.gz");
        var ztoc = Ztoc.Parse(SociFixture.Write(AsVersion1(SociFixture.Content(blob, 4096)) with { Entries = [] }));
        var exception = Assert.Throws<InvalidDataException>(
            () => Import(ztoc, blob, new ZtocImportOptions { BlobStart = blob.AsMemory(0, 12) }));
        Assert.Contains("the gzip header goes on", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Xattrs_can_be_left_out_but_not_those_of_opaque_directories()
    {
        var blob = SociFixture.Blob("taken.tar.gz");
        Import(Ztoc.Parse(SociFixture.Write(SociFixture.Content(blob, 4096))), blob, new ZtocImportOptions { DropXattrs = true });
        using var index = LayerIndex.Open(_folder["index"]);
        var names = Enumerable.Range(0, index.Toc.Count)
            .SelectMany(entry => index.Toc.Xattrs(entry).ToArray()).Select(xattr => System.Text.Encoding.Latin1.GetString(xattr.Name.Span));
        Assert.Equal(["trusted.overlay.opaque"], names);
    }

    [Fact]
    public void Entries_in_any_order_are_put_in_the_order_of_the_tar()
    {
        var blob = SociFixture.Blob("taken.tar.gz");
        var content = SociFixture.Content(blob, 4096);
        Import(Ztoc.Parse(SociFixture.Write(content)), blob);
        var expected = File.ReadAllBytes(_folder["index"]);
        Import(Ztoc.Parse(SociFixture.Write(content with { Entries = [.. content.Entries.Reverse()] })), blob);
        Assert.Equal(expected, File.ReadAllBytes(_folder["index"]));
    }

    [Fact]
    public void A_sparse_file_whose_map_is_not_in_the_ztoc_is_refused_by_name()
    {
        var blob = SociFixture.Blob("features.tar.gz");
        var exception = Assert.Throws<InvalidDataException>(
            () => Import(Ztoc.Parse(SociFixture.Write(SociFixture.Content(blob, 4096))), blob));
        Assert.Contains("sparse-1.0", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["index"]));
    }

    [Fact]
    public void A_blob_of_another_length_is_another_layer()
    {
        var blob = SociFixture.Blob("spans.tar.gz");
        var ztoc = Ztoc.Parse(SociFixture.Write(SociFixture.Content(blob, 4096)));
        var exception = Assert.Throws<InvalidDataException>(() => Import(ztoc, [.. blob, 0]));
        Assert.Contains($"a blob of {blob.Length} bytes", exception.Message, StringComparison.Ordinal);
    }

    private ZtocImportResult Import(Ztoc ztoc, byte[] blob, ZtocImportOptions? options = null) =>
        ZtocImport.WriteIndex(ztoc, SociFixture.Descriptor(blob), _folder["index"], options ?? new ZtocImportOptions());

    private static ZtocContent AsVersion1(ZtocContent content) => content with
    {
        Checkpoints = [.. content.Checkpoints[..HeaderLength], .. content.Checkpoints[(HeaderLength + ZtocCheckpoints.CheckpointLength)..]],
    };

    private static byte[] Columns(LayerToc toc)
    {
        var columns = new ColumnWriter();
        TocWriter.Write(toc, columns);
        return columns.Written.ToArray();
    }

    private static bool Verifies(SpanTable spans, SpanId id, byte[] blob)
    {
        var span = spans[id];
        var hash = SHA256.HashData(blob.AsSpan((int)span.CompressedOffset, (int)span.CompressedLength));
        return spans.DigestOf(id).SequenceEqual(hash);
    }

    private static void AssertDecodes(LayerIndex index, byte[] blob, byte[] tar)
    {
        var decoder = new SpanDecoder(index);
        for (var i = 0; i < index.Spans.Count; i++)
        {
            var id = new SpanId(i);
            var span = index.Spans[id];
            Assert.True(Verifies(index.Spans, id, blob), $"the digest of span {i}");
            var bytes = new byte[span.UncompressedLength];
            decoder.Decode(id, blob.AsSpan((int)span.CompressedOffset, (int)span.CompressedLength), bytes);
            Assert.True(tar.AsSpan((int)span.UncompressedOffset, bytes.Length).SequenceEqual(bytes), $"the bytes of span {i}");
        }
    }
}
