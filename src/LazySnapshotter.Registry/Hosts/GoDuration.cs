using System.Buffers;
using System.Globalization;

namespace LazySnapshotter.Registry.Hosts;

// Lengths of time as Go writes them (time.ParseDuration): "1s", "1m30s", "1.5h", "300ms".
internal static class GoDuration
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Unit, decimal Seconds)[] Units =
        [("ns", 1e-9m), ("us", 1e-6m), ("µs", 1e-6m), ("ms", 1e-3m), ("s", 1), ("m", 60), ("h", 3600)];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (text == "0")
            return true;
        var seconds = 0m;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits is < 1 or > 12
                || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAny(NumberCharacters);
            var unit = letters < 0 ? rest : rest[..letters];
            if (SecondsOf(unit) is not { } factor)
                return false;
            seconds += number * factor;
            rest = rest[unit.Length..];
        }

        // What a timer can count.
        if (text.Length == 0 || seconds > int.MaxValue / 1000)
            return false;
        duration = TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond));
        return true;
    }

    private static decimal? SecondsOf(ReadOnlySpan<char> unit)
    {
        foreach (var (name, seconds) in Units)
        {
            if (unit.SequenceEqual(name))
                return seconds;
        }

        return null;
    }
}
