using System.Globalization;
using System.Text.RegularExpressions;

namespace LazySnapshotter.Registry.Hosts.Toml;

// Numbers and dates as TOML writes them: underscores only between digits, no leading zeros, digits on both sides of a
// decimal point.
internal static partial class TomlNumber
{
    public static bool TryReadInteger(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        var (radix, pattern) = text.StartsWith("0x") ? (16, Hexadecimal()) : text.StartsWith("0o") ? (8, Octal()) : text.StartsWith("0b") ? (2, Binary()) : (10, Decimal());
        if (!pattern.IsMatch(text))
            return false;
        var digits = text.ToString().Replace("_", "", StringComparison.Ordinal);
        if (radix == 10)
            return long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

        UInt128 sum = 0;
        foreach (var digit in digits.AsSpan(2))
        {
            sum = (sum * (uint)radix) + (uint)Convert.ToInt32(digit.ToString(), 16);
            if (sum > long.MaxValue)
                return false;
        }

        value = (long)sum;
        return true;
    }

    public static bool TryReadFloat(ReadOnlySpan<char> text, out double value)
    {
        var unsigned = text is ['+' or '-', ..] ? text[1..] : text;
        if (unsigned is "inf" or "nan")
        {
            value = unsigned is "nan" ? double.NaN : text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        value = 0;
        return Float().IsMatch(text) && text.IndexOfAny('.', 'e', 'E') >= 0
            && double.TryParse(text.ToString().Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    public static bool IsDateTime(ReadOnlySpan<char> text)
    {
        if (Time().IsMatch(text))
            return IsTime(text);
        if (!DateTime().IsMatch(text) || !System.DateTime.TryParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return false;
        return text.Length == 10 || IsTime(text[11..]);
    }

    private static bool IsTime(ReadOnlySpan<char> text) => Number(text[..2]) < 24 && Number(text[3..5]) < 60 && Number(text[6..8]) <= 60;

    private static int Number(ReadOnlySpan<char> digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex("^[+-]?(0|[1-9](_?[0-9])*)\\z")]
    private static partial Regex Decimal();

    [GeneratedRegex("^0x[0-9A-Fa-f](_?[0-9A-Fa-f])*\\z")]
    private static partial Regex Hexadecimal();

    [GeneratedRegex("^0o[0-7](_?[0-7])*\\z")]
    private static partial Regex Octal();

    [GeneratedRegex("^0b[01](_?[01])*\\z")]
    private static partial Regex Binary();

    [GeneratedRegex("^[+-]?(0|[1-9](_?[0-9])*)(\\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?\\z")]
    private static partial Regex Float();

    [GeneratedRegex("^[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?\\z")]
    private static partial Regex Time();

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?\\z")]
    private static partial Regex DateTime();
}
