using System.Text;

namespace LazySnapshotter.TestSupport.Tars;

// Writes tars byte by byte, the wrong ones too. Text is Latin-1: one character, one byte.
public sealed class TestTar
{
    public const int BlockLength = 512;

    private readonly MemoryStream _tar = new();

    public long Length => _tar.Length;

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <param name="tweak">Changes the header before its checksum is computed.</param>
    /// <param name="isSigned">The checksum sums signed bytes, as some old programs did.</param>
    public TestTar Add(
        string name, char type =
            '0', string data = "", string link = "", int mode = 0x1A4, int uid = 0, int gid = 0, long mtime = 1_000_000_000,
        long? size = null, Action<byte[]>? tweak = null, bool isSigned = false)
    {
        var header = new byte[BlockLength];
        Put(header, 0, name);
        Put(header, 100, Octal(mode, 7));
        Put(header, 108, Octal(uid, 7));
        Put(header, 116, Octal(gid, 7));
        Put(header, 124, Octal(size ?? data.Length, 11));
        Put(header, 136, Octal(mtime, 11));
        header[156] = (byte)type;
        Put(header, 157, link);
        Put(header, 257, "ustar\0" + "00");
        Put(header, 329, Octal(0, 7));
        Put(header, 337, Octal(0, 7));
        tweak?.Invoke(header);
        Seal(header, isSigned);
        return Raw(header).Data(data);
    }

    public TestTar Directory(string name, int mode = 0x1ED, long mtime = 1_000_000_000) => Add(name, '5', mode: mode, mtime: mtime);

    public TestTar Pax(params (string Key, string Value)[] records)
    {
        var text = string.Concat(records.Select(record => PaxRecord(record.Key, record.Value)));
        return Add("PaxHeaders/x", 'x', text);
    }

    public TestTar Raw(byte[] bytes)
    {
        _tar.Write(bytes);
        return this;
    }

    /// <summary>Bytes padded to whole blocks.</summary>
    public TestTar Data(string data)
    {
        _tar.Write(Bytes(data));
        _tar.Write(new byte[(BlockLength - data.Length % BlockLength) % BlockLength]);
        return this;
    }

    public byte[] WithoutEnd() => _tar.ToArray();

    public byte[] End() => [.. _tar.ToArray(), .. new byte[2 * BlockLength]];

    public static string PaxRecord(string key, string value)
    {
        var rest = key.Length + value.Length + 3;
        var length = rest + 1;
        while (length != rest + length.ToString(System.Globalization.CultureInfo.InvariantCulture).Length)
            length++;
        return $"{length} {key}={value}\n";
    }

    public static void Put(byte[] header, int offset, string text) => Bytes(text).CopyTo(header, offset);

    public static void Put(byte[] header, int offset, params byte[] bytes) => bytes.CopyTo(header, offset);

    public static void Seal(byte[] header, bool signed = false)
    {
        header.AsSpan(148, 8).Fill((byte)' ');
        var sum = signed ? header.Sum(value => (sbyte)value) : header.Sum(value => value);
        Put(header, 148, Octal(sum, 6) + "\0 ");
    }

    public static string Octal(long value, int digits) => Convert.ToString(value, 8).PadLeft(digits, '0');
}
