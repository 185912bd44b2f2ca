using System.Buffers;
using System.Globalization;

namespace LazySnapshotter.Cli.Output;

// Byte counts for people, in the binary units of IEC 80000-13, and read from people: 4MiB, 64k, 10 MB, 4194304.
internal static class ByteSize
{
    private static readonly SearchValues<char> _digits = SearchValues.Create("0123456789.");
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static string Format(long bytes)
    {
        double value = bytes;
        var unit = 0;
        while (value >= 1024 && unit < _units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return unit == 0 ? $"{bytes} B" : string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {_units[unit]}");
    }

    /// <summary>Whole bytes, or a number with a unit: KiB, K and k are 1024, KB and kB 1000.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var digits = text.AsSpan().TrimEnd().IndexOfAnyExcept(_digits);
        var number = digits < 0 ? text.AsSpan().Trim() : text.AsSpan(0, digits);
        var unit = digits < 0 ? "" : text[digits..].Trim().ToUpperInvariant();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            || Factor(unit) is not { } factor)
            return false;
        if (value > long.MaxValue / factor)
            return false;
        bytes = (long)(value * factor);
        return bytes == value * factor;
    }

    private static decimal? Factor(string unit)
    {
        if (unit is "" or "B")
            return 1;
        var power = 1 + "KMGT".IndexOf(unit[0], StringComparison.Ordinal);
        decimal? step = unit[1..] switch { "" or "IB" => 1024, "B" => 1000, _ => null };
        if (power == 0 || step is not { } factor)
            return null;
        var product = 1m;
        for (; power > 0; power--)
            product *= factor;
        return product;
    }
}
