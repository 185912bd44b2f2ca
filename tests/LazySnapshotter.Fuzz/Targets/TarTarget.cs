using System.Formats.Tar;
using System.Text;
using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Toc;
using EntryType = System.Formats.Tar.TarEntryType;

namespace LazySnapshotter.Fuzz.Targets;

// The tar reader and the tree built of it. A tar that is taken must give a TOC that survives being written and read,
// and gives the same one however the tar is cut into pieces.
internal sealed class TarTarget : FuzzTarget
{
    private const int HeaderLength = 512;
    private const int ChecksumOffset = 148;
    private const int ChecksumLength = 8;
    private const int MagicOffset = 257;

    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(
        () => [Entries(TarEntryFormat.V7), Entries(TarEntryFormat.Ustar), Entries(TarEntryFormat.Gnu), Entries(TarEntryFormat.Pax),
        Sparse(), []]);

    public override string Name => "tar";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var whole = Build(input, input.Length, out var uncompressedLength);
        var inPieces = Build(input, 1 + random.Next(2 * HeaderLength), out _);
        if (!whole.AsSpan().SequenceEqual(inPieces))
            throw new InvalidOperationException("another TOC when the tar comes in pieces");

        var again = Write(TocReader.Read(whole, uncompressedLength));
        if (!whole.AsSpan().SequenceEqual(again))
            throw new InvalidOperationException("the TOC reads back differently");
    }

    public override void Repair(Span<byte> input)
    {
        for (; input.Length >= HeaderLength; input = input[HeaderLength..])
        {
            var header = input[..HeaderLength];
            if (!header[MagicOffset..].StartsWith("ustar"u8))
                continue;
            header.Slice(ChecksumOffset, ChecksumLength).Fill((byte)' ');
            var sum = 0;
            foreach (var value in header)
                sum += value;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", header.Slice(ChecksumOffset, ChecksumLength));
        }
    }

    private static byte[] Build(ReadOnlySpan<byte> input, int pieceLength, out long uncompressedLength)
    {
        var builder = new TocBuilder();
        var parser = new TarParser(builder);
        while (!input.IsEmpty)
        {
            var piece = input[..Math.Min(pieceLength, input.Length)];
            parser.Append(piece);
            input = input[piece.Length..];
        }

        parser.Complete();
        uncompressedLength = parser.Offset;
        return Write(builder.Build());
    }

    private static byte[] Write(LayerToc toc)
    {
        var writer = new ColumnWriter();
        TocWriter.Write(toc, writer);
        return writer.Written.ToArray();
    }

    private static byte[] Entries(TarEntryFormat format)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, format, leaveOpen: true))
        {
            var isPosix = format != TarEntryFormat.V7;
            Add(writer, format, EntryType.Directory, "usr/");
            Add(writer, format, isPosix ? EntryType.RegularFile : EntryType.V7RegularFile, "usr/a", data: new byte[700]);
            Add(writer, format, isPosix ? EntryType.RegularFile : EntryType.V7RegularFile, "usr/b", data: "text"u8.ToArray());
            Add(writer, format, EntryType.HardLink, "usr/c", "usr/a");
            Add(writer, format, EntryType.SymbolicLink, "lib", "usr/lib");
            if (isPosix)
            {
                Add(writer, format, EntryType.CharacterDevice, "dev/null");
                Add(writer, format, EntryType.Fifo, "run/pipe");
                Add(writer, format, EntryType.RegularFile, "usr/.wh.gone");
                Add(writer, format, EntryType.RegularFile, "usr/.wh..wh..opq");
            }

            if (format is TarEntryFormat.Gnu or TarEntryFormat.Pax)
                Add(writer, format, EntryType.RegularFile, "long/" + new string('n', 180), data: new byte[3]);
            if (format == TarEntryFormat.Pax)
            {
                writer.WriteEntry(new PaxTarEntry(EntryType.RegularFile, "x", new Dictionary<string, string>
                {
                    ["SCHILY.xattr.user.name"] = "value",
                    ["mtime"] = "1700000000.123456789",
                    ["uid"] = "4000000000",
                }));
            }
        }

        return tar.ToArray();
    }

    private static byte[] Sparse()
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            var map = new byte[HeaderLength + 8];
            Encoding.ASCII.GetBytes("2\n0\n4\n1000\n4\n", map);
            writer.WriteEntry(new PaxTarEntry(EntryType.RegularFile, "s", new Dictionary<string, string>
            {
                ["GNU.sparse.major"] = "1",
                ["GNU.sparse.minor"] = "0",
                ["GNU.sparse.name"] = "sparse",
                ["GNU.sparse.realsize"] = "4096",
            })
            {
                DataStream = new MemoryStream(map),
            });
        }

        return tar.ToArray();
    }

    private static void Add(TarWriter writer, TarEntryFormat format, EntryType type, string name, string? link = null, byte[]? data = null)
    {
        System.Formats.Tar.TarEntry entry = format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(type, name),
            TarEntryFormat.Ustar => new UstarTarEntry(type, name),
            TarEntryFormat.Gnu => new GnuTarEntry(type, name),
            _ => new PaxTarEntry(type, name),
        };
        entry.ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_600_000_000);
        if (link is not null)
            entry.LinkName = link;
        if (data is not null)
            entry.DataStream = new MemoryStream(data);
        writer.WriteEntry(entry);
    }
}
