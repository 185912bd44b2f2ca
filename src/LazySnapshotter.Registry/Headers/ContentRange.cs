using System.Globalization;
using System.Text.RegularExpressions;

namespace LazySnapshotter.Registry.Headers;

// What an answer says it holds of a blob (RFC 9110 section 14.4), read as generously as it is unambiguous: any case of the
// unit, '=' in place of the space, no total.
/// <param name="End">Of the last byte, inclusive.</param>
/// <param name="Total">Of the whole; null where it is not said.</param>
internal readonly partial record struct ContentRange(long Start, long End, long? Total)
{
    public long Length => End - Start + 1;

    /// <returns>Null where there is none, or none that can be understood.</returns>
    public static ContentRange? Of(HttpResponseMessage response)
    {
        if (!response.Content.Headers.NonValidated.TryGetValues("Content-Range", out var values) || values.Count != 1
            || Form().Match(values.ToString()) is not { Success: true } match)
        {
            return null;
        }

        if (!TryRead(match.Groups[1], out var start) || !TryRead(match.Groups[2], out var end) || end < start || end == long.MaxValue)
            return null;
        if (!match.Groups[3].Success)
            return new ContentRange(start, end, null);
        return TryRead(match.Groups[3], out var total) ? new ContentRange(start, end, total) : null;
    }

    private static bool TryRead(Group digits, out long value) =>
        long.TryParse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    [GeneratedRegex(
        @"^\s*bytes\s*[ =\t]\s*([0-9]{1,19})\s*-\s*([0-9]{1,19})\s*(?:/\s*(?:\*|([0-9]{1,19}))\s*)?$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
