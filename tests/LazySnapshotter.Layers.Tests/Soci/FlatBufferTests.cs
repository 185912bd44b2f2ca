using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Soci.FlatBuffers;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Soci;

// FlatBuffers to the byte: what the Go builder writes, and nothing read that is not there.
public sealed class FlatBufferTests
{
    [Fact]
    public void The_golden_ztoc_of_socis_own_tests_is_written_byte_for_byte()
    {
        // ztoc/ztoc_test.go, TestWriteZtoc: two Go zero values as files, no digests, the last span said to be 3.
        var header = new TarHeaderFacts { UserName = [], GroupName = [], StatedSize = 0, PaxRecords = [] };
        var nothing = new TarEntry { Type = TarEntryType.GlobalHeader, Name = [], LinkName = [], MtimeSeconds = -62135596800,
            Header = header };
        var ztoc = ZtocWriter.Write(
            new ZtocContent
            {
                Compression = LayerCompression.Gzip,
                CompressedLength = 2_000_000,
                UncompressedLength = 2_500_000,
                Entries = [nothing, nothing],
                SpanDigests = [],
                SpanIdMax = 3,
                Checkpoints = new byte[1 << 16],
            },
            "AWS SOCI CLI");
        Assert.Equal(65_928, ztoc.Length);
        Assert.Equal(Digest.Parse("sha256:eba28fdf50b1b57543f57dd051b2468c1d4f57b64d2006c75aa4de1d03e6c7ec"), Digest.OfSha256(ztoc.Span));
    }

    [Fact]
    public void What_was_written_is_read_back_and_what_was_left_out_has_its_default()
    {
        var builder = new FlatBufferBuilder(fieldCountMax: 6, capacity: 1);
        var text = builder.AddString([0xFF, 0x00, 0x41]);
        builder.StartTable(2);
        builder.AddInt32(0, -7);
        var inner = builder.EndTable();
        var tables = builder.AddOffsets([inner, inner]);
        builder.StartTable(6);
        builder.AddOffset(0, text);
        builder.AddInt64(1, long.MinValue);
        builder.AddInt8(2, 5, elided: 5);
        builder.AddOffset(3, tables);
        var bytes = builder.Finish(builder.EndTable());

        var root = new FlatBuffer(bytes.Span, "test").Root();
        Assert.Equal([0xFF, 0x00, 0x41], root.Bytes(0).ToArray());
        Assert.Equal(long.MinValue, root.Int64(1));
        Assert.Equal(5, root.Int8(2, missing: 5));
        Assert.Equal(2, root.Offsets(3).Count);
        Assert.Equal(-7, root.Offsets(3).Table(1).Int32(0));
        Assert.Equal(0, root.Offsets(3).Table(1).Int32(1));
        Assert.True(root.Bytes(4).IsEmpty);
        Assert.Equal(0, root.Offsets(5).Count);
        Assert.False(root.TryTable(17, out _));
    }

    [Theory]
    [InlineData("", "4 bytes expected")]
    [InlineData("00000000", "leads out")]
    [InlineData("FFFFFFFF", "leads out")]
    [InlineData("05000000 00000000", "leads out")]
    [InlineData("04000000 05000000", "vtable at -1")]
    [InlineData("04000000 F0FFFFFF", "vtable at 20")]
    [InlineData("08000000 03000400 04000000", "a vtable of 3 bytes")]
    [InlineData("08000000 FE000400 04000000", "a vtable of 254 bytes")]
    [InlineData("0C000000 06000800 03000000 08000000 00000000", "on top of the table's own start")]
    [InlineData("0C000000 06000800 FFFF0000 08000000 00000000", "4 bytes expected")]
    [InlineData("0C000000 06000800 04000000 08000000 40000000", "leads out")]
    [InlineData("0C000000 06000800 04000000 08000000 04000000 02000000 4100", "vector of 2 elements")]
    [InlineData("0C000000 06000800 04000000 08000000 04000000 FFFFFFFF 4100", "vector of 4294967295 elements")]
    public void An_offset_that_leads_astray_is_refused(string bytes, string expected)
    {
        var buffer = Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal));
        // The layouts with a field are cut so that a four-byte read behind them is one too far.
        if (expected.StartsWith("vector of 2", StringComparison.Ordinal))
            buffer = buffer[..^1];
        var exception = Assert.Throws<InvalidDataException>(() => new FlatBuffer(buffer, "test").Root().Bytes(0).ToArray());
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("test, byte ", exception.Message, StringComparison.Ordinal);
    }
}
