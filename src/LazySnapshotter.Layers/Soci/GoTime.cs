using System.Globalization;
using System.Text;

namespace LazySnapshotter.Layers.Soci;

// Times as Go writes them into a zTOC: RFC 3339 with as many digits of a fraction as it takes. Soci writes the local time
// of whoever builds; we write UTC, so that the same layer gives the same zTOC in every time zone. Go gives up on
// years it cannot write with four digits and leaves the text empty.
internal static class GoTime
{
    private const long SecondsPerDay = 24 * 60 * 60;

    /// <summary>0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z.</summary>
    private const long SecondsMin = -62_167_219_200;
    private const long SecondsEnd = 253_402_300_800;

    /// <summary>DateTime has no year 0; Go does, and 400 years later the calendar is the same.</summary>
    private const long CycleSeconds = 146_097 * SecondsPerDay;

    public static byte[] Format(long seconds, uint nanoseconds)
    {
        if (seconds is < SecondsMin or >= SecondsEnd)
            return [];

        var isYearZero = seconds < SecondsMin + 366 * SecondsPerDay;
        var time = DateTime.UnixEpoch.AddSeconds(isYearZero ? seconds + CycleSeconds : seconds);
        var text = new StringBuilder(35);
        text.Append(CultureInfo.InvariantCulture, $"{(isYearZero ? 0 : time.Year):D4}-{time.Month:D2}-{time.Day:D2}T");
        text.Append(CultureInfo.InvariantCulture, $"{time.Hour:D2}:{time.Minute:D2}:{time.Second:D2}");
        if (nanoseconds > 0)
            text.Append('.').Append(nanoseconds.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0'));
        return Encoding.ASCII.GetBytes(text.Append('Z').ToString());
    }

    /// <summary>Reads what Go wrote, in any time zone; false for what is not such a time (soci then shows year 1).</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long seconds, out uint nanoseconds)
    {
        (seconds, nanoseconds) = (0, 0);
        if (text.Length < "2006-01-02T15:04:05Z".Length
            || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
            return false;
        if (!Digits(text[..4], out var year) || !Digits(text.Slice(5, 2), out var month) || !Digits(text.Slice(8, 2), out var day)
            || !Digits(text.Slice(11, 2), out var hour)
                || !Digits(text.Slice(14, 2), out var minute) || !Digits(text.Slice(17, 2), out var second))
            return false;
        var calendarYear = year == 0 ? 400 : year;
        if (month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(calendarYear, month) || hour > 23 || minute > 59 || second > 59)
            return false;

        var rest = text[19..];
        if (rest[0] == '.')
        {
            var end = rest[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') + 1;
            if (end <= 1 || end > 10)
                return false;
            for (var i = 1; i <= 9; i++)
                nanoseconds = nanoseconds * 10 + (i < end ? (uint)(rest[i] - '0') : 0);
            rest = rest[end..];
        }

        if (!TryParseZone(rest, out var zoneSeconds))
            return false;
        var time = new DateTime(calendarYear, month, day, hour, minute, second, DateTimeKind.Utc);
        seconds = (time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond - (year == 0 ? CycleSeconds : 0) - zoneSeconds;
        return true;
    }

    private static bool TryParseZone(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        if (text.SequenceEqual("Z"u8))
            return true;
        if (text.Length != "+07:00".Length || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':'
            || !Digits(text.Slice(1, 2), out var hours) || !Digits(text.Slice(4, 2), out var minutes) || hours > 24 || minutes > 59)
            return false;
        seconds = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            value = value * 10 + (digit - '0');
        }

        return true;
    }
}
