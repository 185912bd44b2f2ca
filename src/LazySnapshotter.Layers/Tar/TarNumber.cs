namespace LazySnapshotter.Layers.Tar;

// The ways tar writes numbers: octal text in a header field, base-256 where that is too short (GNU, star), decimal
// text in pax records. Tolerances are those of Go's archive/tar, so that we read what containerd reads.
internal static class TarNumber
{
    /// <summary>A numeric header field.</summary>
    public static bool TryParseField(ReadOnlySpan<byte> field, out long value) =>
        (field[0] & 0x80) != 0 ? TryParseBase256(field, out value) : TryParseOctal(field, out value);

    /// <summary>Octal digits with NULs or spaces around them; an empty field is 0.</summary>
    public static bool TryParseOctal(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        field = field.Trim(" \0"u8);
        var end = field.IndexOf((byte)0);
        if (end >= 0)
            field = field[..end];
        foreach (var digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7' || value >> 60 != 0)
                return false;
            value = value << 3 | (long)(digit - '0');
        }

        return true;
    }

    /// <summary>Decimal digits with an optional sign, nothing else.</summary>
    public static bool TryParseDecimal(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        var negative = !text.IsEmpty && text[0] == '-';
        if (!text.IsEmpty && text[0] is (byte)'-' or (byte)'+')
            text = text[1..];
        if (text.IsEmpty || text.Length > 19)
            return false;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            var next = unchecked(value * 10 + (digit - '0'));
            if (next < value)
                return false;
            value = next;
        }

        if (negative)
            value = -value;
        return true;
    }

    /// <summary>A pax time, seconds with an optional fraction; what lies below a nanosecond is cut off.</summary>
    public static bool TryParseTime(ReadOnlySpan<byte> text, out long seconds, out uint nanoseconds)
    {
        nanoseconds = 0;
        var dot = text.IndexOf((byte)'.');
        var fraction = dot < 0 ? default : text[(dot + 1)..];
        if (!TryParseDecimal(dot < 0 ? text : text[..dot], out seconds) || fraction.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            return false;

        for (var i = 0; i < 9; i++)
            nanoseconds = nanoseconds * 10 + (i < fraction.Length ? (uint)(fraction[i] - '0') : 0);
        if (text[0] == '-' && nanoseconds > 0)
        {
            // -1.25 is a second and a quarter before the epoch: second -2, and three quarters on from there.
            if (seconds == long.MinValue)
                return false;
            seconds--;
            nanoseconds = 1_000_000_000 - nanoseconds;
        }

        return true;
    }

    /// <summary>Big-endian two's complement; the top bit is the marker, the next one the sign.</summary>
    private static bool TryParseBase256(ReadOnlySpan<byte> field, out long value)
    {
        var negative = (field[0] & 0x40) != 0;
        value = negative ? -1 : 0;
        for (var i = 0; i < field.Length; i++)
        {
            var digit = i > 0 ? field[i] : negative ? field[i] | 0x80 : field[i] & 0x7F;
            if (value >> 55 != (negative ? -1 : 0))
                return false; // another digit would push bits out at the top
            value = value << 8 | (long)(uint)digit;
        }

        return true;
    }
}
