using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Mounts.Implicit;

// Directories a layer needs but its tar does not mention (umoci leaves them out). containerd's unpacking gives them
// the attributes of the same directory in the nearest layer below that has it; so do we, or an image would show
// other owners and modes lazily than unpacked. What was found is kept with the slot, so that a slot shows the same
// for ever, whatever becomes of the layers below. That there are none is kept as well where it makes a difference: a
// whiteout in the lowest layer removes nothing, and containerd makes none.
internal sealed class ImplicitDirectories
{
    public static readonly ImplicitDirectories None = new(FrozenDictionary<int, InheritedDirectory>.Empty);

    /// <summary>Of a layer with whiteouts and nothing below them.</summary>
    public static readonly ImplicitDirectories Lowest = new(FrozenDictionary<int, InheritedDirectory>.Empty) { HidesWhiteouts = true };

    private const byte FormatVersion = 1;

    /// <summary>All that is written for <see cref="Lowest"/>.</summary>
    private const byte LowestVersion = 2;

    private readonly FrozenDictionary<int, InheritedDirectory> _inherited;

    private ImplicitDirectories(FrozenDictionary<int, InheritedDirectory> inherited) => _inherited = inherited;

    public bool HidesWhiteouts { get; private init; }

    public static ImplicitDirectories From(IReadOnlyDictionary<int, InheritedDirectory> inherited) =>
        inherited.Count == 0 ? None : new ImplicitDirectories(inherited.ToFrozenDictionary());

    public bool TryGet(int entry, [NotNullWhen(true)] out InheritedDirectory? inherited) => _inherited.TryGetValue(entry, out inherited);

    /// <summary>The same bytes for the same attributes: they are also the slot's identity beside layer and index.</summary>
    public byte[] ToBytes()
    {
        if (HidesWhiteouts)
            return [LowestVersion];
        if (_inherited.Count == 0)
            return [];

        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(FormatVersion);
        writer.Write7BitEncodedInt(_inherited.Count);
        foreach (var (entry, directory) in _inherited.OrderBy(pair => pair.Key))
        {
            writer.Write7BitEncodedInt(entry);
            writer.Write(directory.Mode);
            writer.Write(directory.Uid);
            writer.Write(directory.Gid);
            writer.Write(directory.MtimeSeconds);
            writer.Write(directory.MtimeNanoseconds);
            writer.Write7BitEncodedInt(directory.Xattrs.Count);
            foreach (var xattr in directory.Xattrs)
            {
                WriteBytes(writer, xattr.Name);
                WriteBytes(writer, xattr.Value);
            }
        }

        writer.Flush();
        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">Bytes that ToBytes did not make.</exception>
    public static ImplicitDirectories FromBytes(byte[] bytes)
    {
        if (bytes.Length == 0)
            return None;
        if (bytes is [LowestVersion])
            return Lowest;

        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            if (reader.ReadByte() is var version && version != FormatVersion)
                throw new InvalidDataException($"implicit directories: format version {version} is not known");

            var inherited = new Dictionary<int, InheritedDirectory>();
            for (var remaining = reader.Read7BitEncodedInt(); remaining > 0; remaining--)
            {
                var entry = reader.Read7BitEncodedInt();
                inherited.Add(entry, new InheritedDirectory(
                    reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadInt64(), reader.ReadUInt32(), ReadXattrs(
                        reader)));
            }

            return From(inherited);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"implicit directories: damaged after {reader.BaseStream.Position} of {bytes.Length} bytes", e);
        }
    }

    private static List<TocXattr> ReadXattrs(BinaryReader reader)
    {
        var xattrs = new List<TocXattr>();
        for (var remaining = reader.Read7BitEncodedInt(); remaining > 0; remaining--)
            xattrs.Add(new TocXattr(ReadBytes(reader), ReadBytes(reader)));
        return xattrs;
    }

    private static void WriteBytes(BinaryWriter writer, ReadOnlyMemory<byte> bytes)
    {
        writer.Write7BitEncodedInt(bytes.Length);
        writer.Write(bytes.Span);
    }

    private static byte[] ReadBytes(BinaryReader reader)
    {
        var length = reader.Read7BitEncodedInt();
        if (length > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new EndOfStreamException();
        return reader.ReadBytes(length);
    }
}
