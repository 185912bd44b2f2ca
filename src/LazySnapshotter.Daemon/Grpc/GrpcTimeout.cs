using System.Globalization;

namespace LazySnapshotter.Daemon.Grpc;

// The grpc-timeout header: at most eight digits and a unit (PROTOCOL-HTTP2.md, "Timeout").
internal static class GrpcTimeout
{
    public const string Header = "grpc-timeout";

    private const int DigitsMax = 8;
    private const long ValueMax = 99_999_999;

    public static bool TryParse(string text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > DigitsMax + 1
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return false;

        // Never rounded down to nothing: a peer that gives us nanoseconds still gave us some time.
        long? ticks = text[^1] switch
        {
            'H' => value * TimeSpan.TicksPerHour,
            'M' => value * TimeSpan.TicksPerMinute,
            'S' => value * TimeSpan.TicksPerSecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'u' => value * TimeSpan.TicksPerMicrosecond,
            'n' => (value + TimeSpan.NanosecondsPerTick - 1) / TimeSpan.NanosecondsPerTick,
            _ => null,
        };
        timeout = TimeSpan.FromTicks(ticks ?? 0);
        return ticks is not null;
    }

    public static string Format(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
            return "0m";
        var milliseconds = Math.Max(1, (long)timeout.TotalMilliseconds);
        return milliseconds <= ValueMax ? Text(milliseconds, 'm')
            : milliseconds / 1000 <= ValueMax ? Text(milliseconds / 1000, 'S')
            : Text(Math.Min(ValueMax, (long)timeout.TotalHours), 'H');
    }

    private static string Text(long value, char unit) => value.ToString(CultureInfo.InvariantCulture) + unit;
}
