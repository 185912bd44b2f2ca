using System.Buffers.Binary;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Soci;

// A zTOC that lies is refused with the name of the part that does, whatever is wrong with it.
public sealed class ZtocTests : IDisposable
{
    private const int HeaderLength = ZtocCheckpoints.HeaderLength;
    private const int CheckpointLength = ZtocCheckpoints.CheckpointLength;

    private static readonly byte[] Blob = SociFixture.Blob("spans.tar.gz");
    private static readonly ZtocContent Sound = SociFixture.Content(Blob, 20_000);

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> WrongCheckpoints => new()
    {
        { "count 0", "0 of them" },
        { "count -1", "-1 of them" },
        { "count more", "do not hold" },
        { "cut", "do not hold" },
        { "none", "too few for a header" },
        { "bits 8", "checkpoint 1: 8 bits of a byte" },
        { "first bits", "checkpoint 0: inside a byte" },
        { "first out", "checkpoint 0: it starts at uncompressed offset 1" },
        { "in back", "checkpoint 2: it does not come after checkpoint 1" },
        { "out back", "checkpoint 2: it does not come after checkpoint 1" },
        { "in negative", "in no layer" },
        { "out huge", "in no layer" },
        { "in behind", "behind the end of the blob" },
    };

    [Theory]
    [MemberData(nameof(WrongCheckpoints))]
    public void A_wrong_checkpoint_is_named(string what, string expected)
    {
        var checkpoints = Sound.Checkpoints.ToArray();
        switch (what)
        {
            case "count 0" or "count -1": SetCount(what == "count 0" ? 0 : -1); break;
            case "count more": SetCount(Sound.SpanIdMax + 3); break;
            case "cut": checkpoints = checkpoints[..^1]; break;
            case "none": checkpoints = []; break;
            case "bits 8": checkpoints[HeaderLength + CheckpointLength + 16] = 8; break;
            case "first bits": checkpoints[HeaderLength + 16] = 1; break;
            case "first out": SetOut(0, 1); break;
            case "in back": SetIn(2, GetIn(1) - 1); break;
            case "out back": SetOut(2, GetOut(1)); break;
            case "in negative": SetIn(1, -5); break;
            case "out huge": SetOut(Sound.SpanIdMax, long.MaxValue); break;
            default: SetIn(Sound.SpanIdMax, Blob.Length + 1); break;
        }

        Refused(Sound with { Checkpoints = checkpoints }, expected);

        void SetCount(int count) => BinaryPrimitives.WriteInt32LittleEndian(checkpoints, count);
        void SetIn(int index, long value) =>
            BinaryPrimitives.WriteInt64LittleEndian(checkpoints.AsSpan(HeaderLength + index * CheckpointLength), value);
        void SetOut(int index, long value) =>
            BinaryPrimitives.WriteInt64LittleEndian(checkpoints.AsSpan(HeaderLength + index * CheckpointLength + 8), value);
        long GetIn(int index) => BinaryPrimitives.ReadInt64LittleEndian(checkpoints.AsSpan(HeaderLength + index * CheckpointLength));
        long GetOut(int index) => BinaryPrimitives.ReadInt64LittleEndian(checkpoints.AsSpan(HeaderLength + index * CheckpointLength + 8));
    }

    [Fact]
    public void Counts_and_lengths_that_contradict_each_other_are_refused()
    {
        Refused(Sound with { SpanIdMax = Sound.SpanIdMax + 1 }, "checkpoints");
        Refused(Sound with { SpanDigests = Sound.SpanDigests[SHA256.HashSizeInBytes..] }, "span digests for");
        Refused(Sound with { CompressedLength = 0 }, "compressed length 0");
        Refused(Sound with { CompressedLength = -1 }, "compressed length -1");
        Refused(Sound with { UncompressedLength = 1L << 50 }, "uncompressed length");
        Refused(Sound with { Compression = LayerCompression.None }, "tar zinfo");

        var plain = SociFixture.Content(SociFixture.Blob("plain.tar"), 1000);
        Refused(plain with { Checkpoints = TarZinfo.Write(0, plain.CompressedLength) }, "spans of 0 bytes");
        Refused(plain with { Checkpoints = TarZinfo.Write(1000, plain.CompressedLength + 1) }, "a tar of");
        Refused(plain with { Checkpoints = TarZinfo.Write(900, plain.CompressedLength) }, "last span");
    }

    [Fact]
    public void Entries_that_no_tar_has_are_refused_by_name()
    {
        var file = Sound.Entries[1];
        RefusedEntry(file with { DataOffset = Sound.Entries[0].DataOffset }, "where its header can start");
        RefusedEntry(file with { DataOffset = file.DataOffset + 1 }, "where its header can start");
        RefusedEntry(file with { DataOffset = -512 }, "where its header can start");
        RefusedEntry(
            file with { DataOffset = Sound.UncompressedLength + 512 - Sound.UncompressedLength % 512 }, "where its header can start");
        RefusedEntry(file with { Size = -1 }, "-1 bytes");
        RefusedEntry(file with { Size = Sound.UncompressedLength }, "leaves the tar");
        RefusedEntry(file with { Type = TarEntryType.GlobalHeader }, "type");
        RefusedEntry(WithRecord(file, "SCHILY.xattr.", "no name"), "xattr name");
        RefusedEntry(WithRecord(file, "SCHILY.xattr.user.a", new string('x', TarLimits.XattrValueLengthMax + 1)), "xattr value");
        RefusedEntry(WithRecord(file, "GNU.sparse.map", "0,10,5,10"), "overlaps");
        RefusedEntry(WithRecord(file, "GNU.sparse.map", "0,99999999999999999999"), "not a number");
    }

    [Fact]
    public void A_ztoc_cut_short_at_any_byte_is_refused()
    {
        var ztoc = SociFixture.Write(SociFixture.Content(SociFixture.Blob("plain.tar"), 1000));
        for (var length = 0; length < ztoc.Length - 1; length++) // its last byte is the NUL behind a string
        {
            var cut = ztoc[..length];
            Assert.Throws<InvalidDataException>(() => ZtocImport.WriteIndex(
                Ztoc.Parse(cut), SociFixture.Descriptor(SociFixture.Blob("plain.tar")), _folder["index"], new ZtocImportOptions()));
        }
    }

    [Fact]
    public void Whatever_is_changed_gives_an_index_that_opens_or_an_error_and_nothing_else()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var blob = SociFixture.Blob("plain.tar");
        var sound = SociFixture.Write(SociFixture.Content(blob, 1000)).ToArray();
        var (opened, refused) = (0, 0);
        for (var round = 0; round < 4000; round++)
        {
            var ztoc = sound.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var position = random.Next(ztoc.Length);
                ztoc[position] = (byte)random.Next(
                    4) switch { 0 => 0, 1 => 0xFF, 2 => (byte)(ztoc[position] ^ 1 << random.Next(8)), _ => (byte)random.Next(256) };
            }

            try
            {
                ZtocImport.WriteIndex(Ztoc.Parse(ztoc), SociFixture.Descriptor(blob), _folder["index"], new ZtocImportOptions());
                LayerIndex.Open(_folder["index"]).Dispose();
                opened++;
            }
            catch (InvalidDataException)
            {
                refused++;
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}", exception);
            }
        }

        Assert.True(opened > 0 && refused > 0, $"seed {seed}: {opened} opened, {refused} refused");
    }

    [Fact]
    public void Times_are_written_as_go_does_and_read_in_any_zone()
    {
        (long Seconds, uint Nanoseconds, string Text)[] times =
        [
            (0, 0, "1970-01-01T00:00:00Z"), (1600000000, 500_000_000, "2020-09-13T12:26:40.5Z"),
                (-2, 750_000_000, "1969-12-31T23:59:58.75Z"),
            (951782400, 1, "2000-02-29T00:00:00.000000001Z"), (-62167219200, 0, "0000-01-01T00:00:00Z"),
            (-62162035201, 0, "0000-02-29T23:59:59Z"),
            (-62135596801, 0, "0000-12-31T23:59:59Z"), (253402300799, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
        ];
        foreach (var (seconds, nanoseconds, text) in times)
        {
            Assert.Equal(text, System.Text.Encoding.ASCII.GetString(GoTime.Format(seconds, nanoseconds)));
            Assert.True(GoTime.TryParse(TestTar.Bytes(text), out var readSeconds, out var readNanoseconds));
            Assert.Equal((seconds, nanoseconds), (readSeconds, readNanoseconds));
        }

        Assert.Empty(GoTime.Format(253402300800, 0));
        Assert.Empty(GoTime.Format(-62167219201, 0));
        Assert.True(GoTime.TryParse("2020-09-13T14:56:40.5+02:30"u8, out var zoned, out _));
        Assert.Equal(1600000000, zoned);
        foreach (var wrong in new[] { "", "Z", "2020-09-13T12:26:40", "2021-02-29T00:00:00Z", "2020-09-13T24:00:00Z",
            "2020-09-13T12:26:40.Z", "2020-09-13T12:26:40+2:30", "2020-09-13 12:26:40Z" })
            Assert.False(GoTime.TryParse(TestTar.Bytes(wrong), out _, out _), wrong);
    }

    private static TarEntry WithRecord(TarEntry entry, string key, string value) => entry with
    {
        Header = entry.Header! with { PaxRecords = [new PaxRecord(TestTar.Bytes(key), TestTar.Bytes(value))] },
    };

    private void RefusedEntry(TarEntry entry, string expected)
    {
        var content = Sound with { Entries = [Sound.Entries[0], entry] };
        var message = Refused(content, expected);
        Assert.StartsWith("zTOC, entry \"files/001\": ", message, StringComparison.Ordinal);
    }

    private string Refused(ZtocContent content, string expected)
    {
        var ztoc = SociFixture.Write(content);
        var exception = Assert.Throws<InvalidDataException>(
            () => ZtocImport.WriteIndex(Ztoc.Parse(ztoc), SociFixture.Descriptor(Blob), _folder["index"], new ZtocImportOptions()));
        Assert.StartsWith("zTOC", exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        return exception.Message;
    }
}
