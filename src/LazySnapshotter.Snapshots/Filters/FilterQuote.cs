using System.Globalization;
using System.Text;

namespace LazySnapshotter.Snapshots.Filters;

// Quoted text in Go's syntax ("Interpreted string literals" of its specification), with / and | as further quotes so
// that a pattern need not escape its own. Escapes give bytes (\xNN, octal) or characters (\u, \U); all is UTF-8.
internal static class FilterQuote
{
    private const int CodePointMax = 0x10FFFF;

    /// <param name="quoted">With its quotes.</param>
    public static bool TryUnquote(string quoted, out string text)
    {
        text = "";
        if (quoted.Length < 2 || quoted[0] != quoted[^1])
            return false;

        var quote = quoted[0];
        var body = quoted.AsSpan(1, quoted.Length - 2);
        var utf8 = new List<byte>(body.Length);
        Span<byte> encoded = stackalloc byte[4];
        while (body.Length > 0)
        {
            if (body[0] == '\\')
            {
                if (!TryUnescape(ref body, quote, utf8))
                    return false;
                continue;
            }

            if (body[0] == quote || Rune.DecodeFromUtf16(body, out var rune, out var consumed) != System.Buffers.OperationStatus.Done)
                return false;
            utf8.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
            body = body[consumed..];
        }

        text = Encoding.UTF8.GetString([.. utf8]);
        return true;
    }

    private static bool TryUnescape(ref ReadOnlySpan<char> body, char quote, List<byte> utf8)
    {
        if (body.Length < 2)
            return false;
        var c = body[1];
        switch (c)
        {
            case 'x':
                return TryNumber(ref body, 2, 2, NumberStyles.AllowHexSpecifier, byte.MaxValue, isCharacter: false, utf8);
            case 'u':
                return TryNumber(ref body, 2, 4, NumberStyles.AllowHexSpecifier, CodePointMax, isCharacter: true, utf8);
            case 'U':
                return TryNumber(ref body, 2, 8, NumberStyles.AllowHexSpecifier, CodePointMax, isCharacter: true, utf8);
            case >= '0' and <= '7':
                return TryOctal(ref body, utf8);
        }

        var plain = c switch
        {
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\v',
            '\\' => '\\',
            _ when c == quote => quote,
            _ => '\0',
        };
        if (plain == '\0')
            return false;
        utf8.Add((byte)plain);
        body = body[2..];
        return true;
    }

    private static bool TryNumber(
        ref ReadOnlySpan<char> body, int start, int digits, NumberStyles style, int max, bool isCharacter, List<byte> utf8)
    {
        if (body.Length < start + digits
            || !uint.TryParse(body.Slice(start, digits), style, CultureInfo.InvariantCulture, out var value) || value > max)
            return false;

        body = body[(start + digits)..];
        if (!isCharacter)
        {
            utf8.Add((byte)value);
            return true;
        }

        Span<byte> encoded = stackalloc byte[4];
        var rune = Rune.IsValid(value) ? new Rune(value) : Rune.ReplacementChar;
        utf8.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
        return true;
    }

    private static bool TryOctal(ref ReadOnlySpan<char> body, List<byte> utf8)
    {
        const int Digits = 3;
        if (body.Length < 1 + Digits)
            return false;
        var value = 0;
        foreach (var digit in body.Slice(1, Digits))
        {
            if (digit is < '0' or > '7')
                return false;
            value = value * 8 + (digit - '0');
        }

        if (value > byte.MaxValue)
            return false;
        utf8.Add((byte)value);
        body = body[(1 + Digits)..];
        return true;
    }
}
