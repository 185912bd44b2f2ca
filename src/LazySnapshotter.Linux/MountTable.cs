using System.Globalization;
using System.Text;

namespace LazySnapshotter.Linux;

// The mounts this process sees, parsed from /proc/self/mountinfo. Reading it asks no filesystem anything, so it works
// when the server behind a FUSE mount is dead. Where mounts lie on top of each other the last one is the visible one.
//
//   36 35 98:0 /root /mount\040point rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue
//   id parent dev root mount-point   options    optional* - type source   super options
public static class MountTable
{
    private const string Path = "/proc/self/mountinfo";

    public static IReadOnlyList<MountEntry> Read() => Parse(File.ReadAllBytes(Path));

    /// <summary>What is visible at a path, if something is mounted right there.</summary>
    /// <param name="mountPoint">Absolute, without links and dots.</param>
    public static MountEntry? Find(LinuxPath mountPoint) => Read().LastOrDefault(entry => entry.MountPoint == mountPoint);

    /// <exception cref="InvalidDataException">A line that is no mountinfo line; the message shows it.</exception>
    public static IReadOnlyList<MountEntry> Parse(ReadOnlySpan<byte> text)
    {
        var entries = new List<MountEntry>();
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (!line.IsEmpty)
                entries.Add(ParseLine(line));
        }

        return entries;
    }

    private static MountEntry ParseLine(ReadOnlySpan<byte> line)
    {
        var fields = new List<byte[]>(11);
        foreach (var range in line.Split((byte)' '))
            fields.Add(line[range].ToArray());

        // Optional fields, none or several, end with a lone hyphen.
        var separator = fields.FindIndex(6 <= fields.Count ? 6 : fields.Count, field => field is [(byte)'-']);
        var device = fields.Count > 2 ? Text(fields[2]).Split(':') : [];
        // A zero byte is no part of any name; nor does the kernel write one escaped.
        if (line.Contains((byte)0) || line.IndexOf("\\000"u8) >= 0 || separator < 0 || fields.Count < separator + 4 || device.Length != 2
            || !TryNumber(fields[0], out var id) || !TryNumber(fields[1], out var parentId)
            || !uint.TryParse(device[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            || !uint.TryParse(device[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
        {
            throw new InvalidDataException($"{Path}: cannot read line \"{Text(line)}\"");
        }

        return new MountEntry(
            id, parentId, major, minor, Unescape(fields[3]), Unescape(fields[4]), Text(fields[5]),
            Text(fields[separator + 1]), Unescape(fields[separator + 2]), Text(fields[separator + 3]));
    }

    // The kernel writes blank, tab, newline, backslash (and '#') as a backslash and three octal digits.
    private static LinuxPath Unescape(ReadOnlySpan<byte> field)
    {
        var plain = new byte[field.Length];
        var length = 0;
        while (!field.IsEmpty)
        {
            if (field is [(byte)'\\', >= (byte)'0' and <= (byte)'3', >= (byte)'0' and <= (byte)'7', >= (byte)'0' and <= (byte)'7', ..])
            {
                plain[length++] = (byte)(((field[1] - '0') << 6) | ((field[2] - '0') << 3) | (field[3] - '0'));
                field = field[4..];
            }
            else
            {
                plain[length++] = field[0];
                field = field[1..];
            }
        }

        return new LinuxPath(plain.AsSpan(0, length));
    }

    private static bool TryNumber(ReadOnlySpan<byte> field, out int number) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string Text(ReadOnlySpan<byte> field) => Encoding.UTF8.GetString(field);
}
