using System.Globalization;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Node.Images;

namespace LazySnapshotter.Cli.Output;

// Lines as ls(1) writes them: names alone, or with mode, links, owner, size (or device numbers) and time in UTC.
internal sealed class Listing(ImageTree tree, ByteWriter output, bool longFormat)
{
    public void WriteChildren(ImageTreeNode directory)
    {
        foreach (var (name, node) in tree.Children(directory))
            Write(name, node);
    }

    public void WriteBelow(ReadOnlySpan<byte> path, ImageTreeNode directory)
    {
        foreach (var (name, node) in tree.Children(directory))
        {
            byte[] childPath = [.. path, (byte)'/', .. name];
            Write(childPath, node);
            if (tree.EntryOf(node).Type == TocEntryType.Directory)
                WriteBelow(childPath, node);
        }
    }

    public void Write(ReadOnlySpan<byte> name, ImageTreeNode node)
    {
        if (!longFormat)
        {
            output.Write(name);
            output.WriteLine();
            return;
        }

        var entry = tree.EntryOf(node);
        var size = entry.Type is TocEntryType.CharacterDevice or TocEntryType.BlockDevice
            ? string.Create(CultureInfo.InvariantCulture, $"{entry.DeviceMajor}, {entry.DeviceMinor}")
            : entry.Size.ToString(CultureInfo.InvariantCulture);
        output.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"{Mode(entry)} {entry.LinkCount,3} {entry.Uid,5} {entry.Gid,5} {size,12} {Time(entry)} "));
        output.Write(name);
        if (entry.Type == TocEntryType.SymbolicLink)
        {
            output.Write(" -> ");
            output.Write(tree.LinkTarget(node).Span);
        }

        output.WriteLine();
    }

    private static string Time(in TocEntry entry)
    {
        // A tar may claim a time that no DateTime holds; its number is then the most honest thing to show.
        var inRange = entry.MtimeSeconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds()
            && entry.MtimeSeconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds();
        return inRange
            ? DateTimeOffset.FromUnixTimeSeconds(entry.MtimeSeconds).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
            : "@" + entry.MtimeSeconds.ToString(CultureInfo.InvariantCulture);
    }

    private static string Mode(in TocEntry entry)
    {
        Span<char> text = stackalloc char[10];
        text[0] = entry.Type switch
        {
            TocEntryType.Directory => 'd',
            TocEntryType.SymbolicLink => 'l',
            TocEntryType.CharacterDevice => 'c',
            TocEntryType.BlockDevice => 'b',
            TocEntryType.Fifo => 'p',
            _ => '-',
        };
        for (var bit = 0; bit < 9; bit++)
            text[1 + bit] = (entry.Mode >> (8 - bit) & 1) == 0 ? '-' : "rwx"[bit % 3];

        // set-user-ID, set-group-ID and sticky show in the place of the execute bits.
        for (var special = 0; special < 3; special++)
        {
            if ((entry.Mode >> (11 - special) & 1) == 0)
                continue;
            ref var execute = ref text[3 + (special * 3)];
            execute = execute == '-' ? "SST"[special] : "sst"[special];
        }

        return text.ToString();
    }
}
