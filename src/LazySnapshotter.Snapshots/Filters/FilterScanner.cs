using System.Globalization;
using System.Text;

namespace LazySnapshotter.Snapshots.Filters;

internal enum FilterTokenKind
{
    End,
    Quoted,
    Value,
    Field,
    Separator,
    Operator,
    Illegal,
}

internal readonly record struct FilterToken(FilterTokenKind Kind, int Position, string Text);

// Cuts a filter into tokens. What a run of letters is depends on what came before: after an operator it is a value and
// may hold nearly anything but a comma or white space, otherwise it is a field name.
internal sealed class FilterScanner(string input)
{
    private int _position;
    private bool _valueExpected;

    public int Position => _position;

    /// <summary>The next character, white space included; '\0' at the end.</summary>
    public char Peek() => _position < input.Length ? input[_position] : '\0';

    public bool AtEnd => _position >= input.Length;

    public FilterToken Scan()
    {
        while (!AtEnd && char.IsWhiteSpace(Peek()))
            _position++;
        if (AtEnd)
            return new FilterToken(FilterTokenKind.End, _position, "");

        var start = _position;
        switch (Peek())
        {
            case '"' or '/' or '|':
                return ScanQuoted(start) ? Token(FilterTokenKind.Quoted, start) : Token(FilterTokenKind.Illegal, start);
            case ',' or '.':
                _position++;
                _valueExpected = false;
                return Token(FilterTokenKind.Separator, start);
            case '=' or '!' or '~':
                SkipWhile(static c => c is '=' or '!' or '~');
                _valueExpected = true;
                return Token(FilterTokenKind.Operator, start);
        }

        if (_valueExpected)
        {
            _valueExpected = false;
            ScanValue();
            return Token(_position > start ? FilterTokenKind.Value : FilterTokenKind.Illegal, start);
        }

        SkipWhile(static c => c == '_' || char.IsAsciiLetterOrDigit(c));
        return Token(_position > start ? FilterTokenKind.Field : FilterTokenKind.Illegal, start);
    }

    private FilterToken Token(FilterTokenKind kind, int start) => new(kind, start, input[start.._position]);

    private void SkipWhile(Func<char, bool> accepted)
    {
        while (!AtEnd && accepted(Peek()))
            _position++;
    }

    // To the quote that is not escaped; what the escapes mean is FilterQuote's matter.
    private bool ScanQuoted(int start)
    {
        var quote = input[start];
        _position++;
        while (!AtEnd)
        {
            var c = input[_position++];
            if (c == quote)
                return true;
            if (c == '\n')
                return false;
            if (c == '\\' && !AtEnd)
                _position++;
        }

        return false;
    }

    // Go's IsGraphic or IsPunct: everything one can see, but no white space.
    private void ScanValue()
    {
        while (Rune.TryGetRuneAt(input, Math.Min(_position, input.Length - 1), out var rune) && !AtEnd
            && rune.Value != ',' && !Rune.IsWhiteSpace(rune)
            && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator))
            _position += rune.Utf16SequenceLength;
    }
}
