using System.Globalization;
using System.Text;

namespace LazySnapshotter.Registry.Hosts.Toml;

// The four kinds of strings: "basic" with escapes, 'literal' without, and both over several lines.
internal sealed partial class TomlReader
{
    private string ReadBasicString()
    {
        var start = (_line, Column);
        _position++;
        var value = new StringBuilder();
        while (Here != '"')
        {
            CheckInside(start, isMultiLine: false);
            if (Here == '\\')
                ReadEscape(value);
            else
                value.Append(_text[_position++]);
        }

        _position++;
        return value.ToString();
    }

    private string ReadLiteralString()
    {
        var start = (_line, Column);
        var first = ++_position;
        while (Here != '\'')
        {
            CheckInside(start, isMultiLine: false);
            _position++;
        }

        return _text[first.._position++];
    }

    private string ReadMultiLineBasicString()
    {
        var start = (_line, Column);
        _position += 3;
        TryNewline();
        var value = new StringBuilder();
        while (!TryCloseMultiLine('"', value))
        {
            CheckInside(start, isMultiLine: true);
            if (Here == '\\' && TrySkipContinuation())
                continue;
            if (Here == '\\')
                ReadEscape(value);
            else
                AppendOrNewline(value);
        }

        return value.ToString();
    }

    private string ReadMultiLineLiteralString()
    {
        var start = (_line, Column);
        _position += 3;
        TryNewline();
        var value = new StringBuilder();
        while (!TryCloseMultiLine('\'', value))
        {
            CheckInside(start, isMultiLine: true);
            AppendOrNewline(value);
        }

        return value.ToString();
    }

    private void AppendOrNewline(StringBuilder value)
    {
        var from = _position;
        if (!TryNewline())
            _position++;
        value.Append(_text, from, _position - from);
    }

    // Three quotes end it; one or two in front of them belong to it.
    private bool TryCloseMultiLine(char quote, StringBuilder value)
    {
        var count = 0;
        while (count < 5 && _position + count < _text.Length && _text[_position + count] == quote)
            count++;
        if (count < 3)
            return false;
        value.Append(quote, count - 3);
        _position += count;
        return true;
    }

    // A backslash at the end of a line: everything up to the next character that is no space is left out.
    private bool TrySkipContinuation()
    {
        var (position, line, lineStart) = (_position, _line, _lineStart);
        _position++;
        SkipBlanks();
        if (!TryNewline())
        {
            (_position, _line, _lineStart) = (position, line, lineStart);
            return false;
        }

        do
            SkipBlanks();
        while (TryNewline());
        return true;
    }

    private void ReadEscape(StringBuilder value)
    {
        _position++;
        var escape = Here;
        if (escape is 'u' or 'U')
        {
            value.Append(ReadCodePoint(escape == 'u' ? 4 : 8).ToString());
            return;
        }

        value.Append(escape switch
        {
            'b' => '\b',
            't' => '\t',
            'n' => '\n',
            'f' => '\f',
            'r' => '\r',
            '"' => '"',
            '\\' => '\\',
            _ => throw Error($"'\\' followed by {Shown()} is no escape (a backslash itself is written '\\\\', or in 'single quotes')"),
        });
        _position++;
    }

    private Rune ReadCodePoint(int digits)
    {
        var from = _position + 1;
        if (from + digits > _text.Length
            || !uint.TryParse(_text.AsSpan(from, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || !Rune.TryCreate(code, out var rune))
        {
            throw Error($"\\{Here} needs {digits} hexadecimal digits that are a Unicode character");
        }

        _position = from + digits;
        return rune;
    }

    private void CheckInside((int Line, int Column) start, bool isMultiLine)
    {
        if (AtEnd)
            throw new TomlException(start.Line, start.Column, "the string that begins here does not end");
        if (Here == '\n' || StartsWith("\r\n"))
        {
            if (!isMultiLine)
                throw new TomlException(start.Line, start.Column, "the string that begins here does not end on its line");
            return;
        }

        CheckCharacter("a string");
    }
}
