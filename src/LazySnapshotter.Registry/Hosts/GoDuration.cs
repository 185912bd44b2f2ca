using System.Buffers;
using System.Globalization;

namespace LazySnapshotter.Registry.Hosts;

// Lengths of time as Go writes them (time.ParseDuration): "1s", "1m30s", "1.5h", "300ms".
internal static class GoDuration
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Unit, double Seconds)[] Units =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600)];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (text == "0")
            return true;
        var seconds = 0.0;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits < 1 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
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
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    private static double? SecondsOf(ReadOnlySpan<char> unit)
    {
        foreach (var (name, seconds) in Units)
        {
            if (unit.SequenceEqual(name))
                return seconds;
        }

        return null;
    }
}
