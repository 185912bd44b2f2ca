using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// The part of TocReader that rebuilds the directories: which names each has, and which entries those stand for.
internal static class TocNamesReader
{
    public readonly record struct Result(byte[] Texts, int[] Offsets, int[] Entries);

    /// <param name="sizes">Of directories: how many names each has.</param>
    /// <param name="positions">Of directories: gets the number of its first name.</param>
    public static Result Read(ref ColumnReader reader, byte[] types, long[] sizes, long[] positions, int nameCount)
    {
        var assigned = 0L;
        for (var directory = 0; directory < types.Length; directory++)
        {
            if (TocReader.TypeOf(types[directory]) != TocEntryType.Directory)
                continue;
            positions[directory] = assigned;
            assigned += sizes[directory];
        }

        if (assigned != nameCount)
            throw reader.Bad($"directories have {assigned} names, not {nameCount}");

        var (texts, offsets) = ReadTexts(ref reader, types, sizes, nameCount);
        return new Result(texts, offsets, ReadEntries(ref reader, types, sizes, nameCount));
    }

    private static (byte[] Texts, int[] Offsets) ReadTexts(ref ColumnReader reader, byte[] types, long[] sizes, int nameCount)
    {
        var shared = new byte[nameCount];
        var suffixLengths = new byte[nameCount];
        var offsets = new int[nameCount + 1];
        var suffixBytes = 0L;
        var textBytes = 0L;
        for (var name = 0; name < nameCount; name++)
        {
            shared[name] = (byte)reader.Number(TarLimits.NameLengthMax, "name prefix");
            suffixLengths[name] = (byte)reader.Number(TarLimits.NameLengthMax - shared[name], "name length");
            suffixBytes += suffixLengths[name];
            textBytes += shared[name] + suffixLengths[name];
            if (textBytes > TarLimits.NameBytesMax)
                throw reader.Bad($"names longer than {TarLimits.NameBytesMax} bytes together");
            offsets[name + 1] = (int)textBytes;
        }

        var suffixes = reader.Bytes(suffixBytes, "names");
        if (suffixes.IndexOfAny((byte)0, (byte)'/') >= 0)
            throw reader.Bad("a name has a NUL or a slash");
        var texts = new byte[textBytes];
        var current = 0;
        for (var directory = 0; directory < types.Length; directory++)
        {
            if (TocReader.TypeOf(types[directory]) != TocEntryType.Directory)
                continue;

            ReadOnlySpan<byte> previous = default;
            for (var i = 0L; i < sizes[directory]; i++, current++)
            {
                if (shared[current] > previous.Length)
                    throw reader.Bad($"name {current} shares more than there is");
                var text = texts.AsSpan(offsets[current], offsets[current + 1] - offsets[current]);
                previous[..shared[current]].CopyTo(text);
                suffixes[..suffixLengths[current]].CopyTo(text[shared[current]..]);
                suffixes = suffixes[suffixLengths[current]..];
                if (!Follows(previous, text, shared[current]))
                    throw reader.Bad($"name {current} is not valid or not in order");
                previous = text;
            }
        }

        return (texts, offsets);
    }

    private static int[] ReadEntries(ref ColumnReader reader, byte[] types, long[] sizes, int nameCount)
    {
        var entries = new int[nameCount];
        var next = 1;
        var current = 0;
        for (var directory = 0; directory < types.Length; directory++)
        {
            if (TocReader.TypeOf(types[directory]) != TocEntryType.Directory)
                continue;
            if (directory >= next)
                throw reader.Bad($"directory {directory} has no name in a directory before it");

            for (var i = 0L; i < sizes[directory]; i++, current++)
            {
                var value = (int)reader.Number(next, "entry of a name");
                if (value == 0)
                    entries[current] = next++;
                else if (TocReader.TypeOf(types[value - 1]) != TocEntryType.Directory)
                    entries[current] = value - 1;
                else
                    throw reader.Bad($"directory {value - 1} has two names");
                if (next > types.Length)
                    throw reader.Bad("more names than entries");
            }
        }

        return next == types.Length ? entries : throw reader.Bad($"{types.Length - next} entries have no name");
    }

    /// <summary>A name that is one, comes behind the one before it, and shares all that it could with that.</summary>
    private static bool Follows(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> name, int shared) =>
        name.Length > shared && (shared == previous.Length || name[shared] > previous[shared])
            && (name.Length > 2 || (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8)));
}
