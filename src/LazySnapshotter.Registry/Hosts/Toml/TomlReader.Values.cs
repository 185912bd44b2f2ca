namespace LazySnapshotter.Registry.Hosts.Toml;

// Values: what follows '=', and what is inside of arrays and inline tables.
internal sealed partial class TomlReader
{
    private TomlValue ReadValue()
    {
        var (line, column) = (_line, Column);
        switch (Here)
        {
            case '"':
                return new TomlString(StartsWith("\"\"\"") ? ReadMultiLineBasicString() : ReadBasicString(), line, column);
            case '\'':
                return new TomlString(StartsWith("'''") ? ReadMultiLineLiteralString() : ReadLiteralString(), line, column);
            case '[':
                return Deeper(ReadArray);
            case '{':
                return Deeper(ReadInlineTable);
            default:
                return ReadPlainValue();
        }
    }

    private TomlValue Deeper(Func<TomlValue> read)
    {
        if (++_depth > RegistryLimits.TomlDepthMax)
            throw Error($"values inside each other more than {RegistryLimits.TomlDepthMax} times");
        var value = read();
        _depth--;
        return value;
    }

    // Over as many lines as it likes, with comments, and with a comma at its end or not.
    private TomlArray ReadArray()
    {
        var array = new TomlArray(ofTables: false, _line, Column);
        _position++;
        while (true)
        {
            SkipBlanksAndLines();
            if (Here == ']')
                break;
            array.Items.Add(ReadValue());
            SkipBlanksAndLines();
            if (Here == ',')
                _position++;
            else if (Here != ']')
                throw Error($"',' or ']' was expected in the array that begins at line {array.Line}, not {Shown()}");
        }

        _position++;
        return array;
    }

    // On one line, without a comma at its end.
    private TomlTable ReadInlineTable()
    {
        var table = new TomlTable(TomlTableOrigin.Inline, _line, Column);
        _position++;
        SkipBlanks();
        if (Here != '}')
        {
            while (true)
            {
                SkipBlanks();
                ReadKeyValue(table);
                SkipBlanks();
                if (Here == '}')
                    break;
                if (Here != ',')
                    throw Error($"',' or '}}' was expected in the inline table, not {Shown()}");
                _position++;
            }
        }

        _position++;
        Close(table);
        return table;
    }

    // Tables that dotted keys made inside are as complete as the inline table itself.
    private static void Close(TomlTable table)
    {
        table.Origin = TomlTableOrigin.Inline;
        foreach (var inner in table.Entries.Values.OfType<TomlTable>())
        {
            if (inner.Origin == TomlTableOrigin.DottedKey)
                Close(inner);
        }
    }

    private void SkipBlanksAndLines()
    {
        do
        {
            SkipBlanks();
            SkipComment();
        }
        while (TryNewline());
    }

    private bool StartsWith(string text) => string.CompareOrdinal(_text, _position, text, 0, text.Length) == 0;

    // Everything that is not quoted and has no brackets: booleans, numbers, dates.
    private TomlValue ReadPlainValue()
    {
        var (line, column) = (_line, Column);
        var start = _position;
        while (char.IsAsciiLetterOrDigit(Here) || Here is '_' or '-' or '+' or '.' or ':')
            _position++;
        // One blank between a date and its time.
        if (Here == ' ' && _position - start == 10 && _text[start + 4] == '-' && _position + 1 < _text.Length && char.IsAsciiDigit(_text[_position + 1]))
        {
            _position++;
            while (char.IsAsciiLetterOrDigit(Here) || Here is '-' or '+' or '.' or ':')
                _position++;
        }

        var text = _text.AsSpan(start, _position - start);
        if (text.IsEmpty)
            throw Error($"a value was expected, not {Shown()}");
        if (text is "true" or "false")
            return new TomlBoolean(text is "true", line, column);
        if (TomlNumber.TryReadInteger(text, out var integer))
            return new TomlInteger(integer, line, column);
        if (TomlNumber.TryReadFloat(text, out var number))
            return new TomlFloat(number, line, column);
        if (TomlNumber.IsDateTime(text))
            return new TomlDateTime(text.ToString(), line, column);
        var shown = text.Length > 40 ? text[..40].ToString() + "..." : text.ToString();
        throw new TomlException(line, column, $"{shown} is no value (strings are quoted; integers have 64 bits and no leading zeros)");
    }
}
