using System.Text;

namespace LazySnapshotter.Registry.Hosts.Toml;

// Reads a TOML 1.0 document (toml.io/en/v1.0.0) into tables that keep the order of the text, which hosts.toml gives a
// meaning. One pass, one character at a time; recursion only into values, as deep as the limit says. This file: lines,
// headers, keys; the others: values, strings, numbers.
internal sealed partial class TomlReader
{
    private readonly string _text;
    private readonly TomlTable _root = new(TomlTableOrigin.Header, 1, 1);
    private TomlTable _current;
    private int _position;
    private int _line = 1;
    private int _lineStart;
    private int _depth;

    private TomlReader(string text)
    {
        _text = text;
        _current = _root;
    }

    private int Column => _position - _lineStart + 1;

    private bool AtEnd => _position == _text.Length;

    /// <summary>The character here; U+0000, which is nowhere allowed, at the end.</summary>
    private char Here => _position < _text.Length ? _text[_position] : '\0';

    /// <exception cref="TomlException">Not UTF-8, not TOML, or larger than anybody needs.</exception>
    public static TomlTable Read(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > RegistryLimits.TomlBytesMax)
            throw new TomlException(1, 1, $"the text is longer than {RegistryLimits.TomlBytesMax} bytes");
        if (utf8.StartsWith("\uFEFF"u8))
            utf8 = utf8[3..];
        var reader = new TomlReader(Decode(utf8));
        reader.ReadLines();
        return reader._root;
    }

    private static string Decode(ReadOnlySpan<byte> utf8)
    {
        var text = Encoding.UTF8.GetString(utf8);
        if (Encoding.UTF8.GetByteCount(text) == utf8.Length && text.AsSpan().IndexOf('\uFFFD') < 0)
            return text;

        // A replacement character may be one that was written.
        for (int at = 0, line = 1, column = 1; at < utf8.Length;)
        {
            if (Rune.DecodeFromUtf8(utf8[at..], out var rune, out var length) != System.Buffers.OperationStatus.Done)
                throw new TomlException(line, column, $"byte 0x{utf8[at]:x2} is not UTF-8");
            at += length;
            (line, column) = rune.Value == '\n' ? (line + 1, 1) : (line, column + rune.Utf16SequenceLength);
        }

        return text;
    }

    private void ReadLines()
    {
        while (true)
        {
            SkipBlanks();
            if (AtEnd)
                return;
            if (Here == '[')
                ReadHeader();
            else if (Here is not ('#' or '\n' or '\r'))
                ReadKeyValue(_current);
            EndLine();
        }
    }

    // [a.b] or [[a.b]]
    private void ReadHeader()
    {
        var (line, column) = (_line, Column);
        _position++;
        var isArray = Here == '[';
        if (isArray)
            _position++;
        SkipBlanks();
        var key = ReadKey();
        Expect(']', "the header");
        if (isArray)
            Expect(']', "the header");

        var table = _root;
        foreach (var part in key.SkipLast(1))
            table = IntoForHeader(table, part);
        _current = isArray ? AppendElement(table, key[^1], line, column) : Define(table, key[^1], line, column);
    }

    private static TomlTable IntoForHeader(TomlTable table, KeyPart part)
    {
        if (!table.Entries.TryGetValue(part.Name, out var there))
            return Add(table, part, new TomlTable(TomlTableOrigin.Implicit, part.Line, part.Column));
        return there switch
        {
            TomlTable { Origin: not TomlTableOrigin.Inline } next => next,
            TomlArray { IsOfTables: true } array => (TomlTable)array.Items[^1],
            _ => throw part.Error($"\"{part.Name}\" is {there.Kind} that was complete at line {there.Line}"),
        };
    }

    private static TomlTable Define(TomlTable parent, KeyPart part, int line, int column)
    {
        if (!parent.Entries.TryGetValue(part.Name, out var there))
            return Add(parent, part, new TomlTable(TomlTableOrigin.Header, line, column));
        if (there is not TomlTable { Origin: TomlTableOrigin.Implicit } table)
            throw Duplicate(part, there);
        table.Origin = TomlTableOrigin.Header;
        return table;
    }

    private static TomlTable AppendElement(TomlTable parent, KeyPart part, int line, int column)
    {
        var array = parent.Entries.TryGetValue(part.Name, out var there)
            ? there as TomlArray
            : Add(parent, part, new TomlArray(ofTables: true, line, column));
        if (array is not { IsOfTables: true })
            throw Duplicate(part, there!);
        var element = new TomlTable(TomlTableOrigin.Header, line, column);
        array.Items.Add(element);
        return element;
    }

    // a.b = value
    private void ReadKeyValue(TomlTable table)
    {
        var key = ReadKey();
        Expect('=', "the key");
        SkipBlanks();
        foreach (var part in key.SkipLast(1))
        {
            if (!table.Entries.TryGetValue(part.Name, out var there))
                table = Add(table, part, new TomlTable(TomlTableOrigin.DottedKey, part.Line, part.Column));
            else if (there is TomlTable { Origin: TomlTableOrigin.DottedKey } next)
                table = next;
            else
                throw Duplicate(part, there);
        }

        var last = key[^1];
        if (table.Entries.TryGetValue(last.Name, out var already))
            throw Duplicate(last, already);
        Add(table, last, ReadValue());
    }

    private List<KeyPart> ReadKey()
    {
        var parts = new List<KeyPart>();
        while (true)
        {
            var (line, column) = (_line, Column);
            var name = Here switch
            {
                '"' => ReadBasicString(),
                '\'' => ReadLiteralString(),
                _ => ReadBareKey(),
            };
            parts.Add(new KeyPart(name, line, column));
            if (parts.Count > RegistryLimits.TomlDepthMax)
                throw parts[^1].Error($"a key of more than {RegistryLimits.TomlDepthMax} parts");
            SkipBlanks();
            if (Here != '.')
                return parts;
            _position++;
            SkipBlanks();
        }
    }

    private string ReadBareKey()
    {
        var start = _position;
        while (char.IsAsciiLetterOrDigit(Here) || Here is '_' or '-')
            _position++;
        return _position > start ? _text[start.._position] : throw Error($"a key was expected, not {Shown()}");
    }

    private void SkipBlanks()
    {
        while (Here is ' ' or '\t')
            _position++;
    }

    // After what is on a line: blanks, a comment, the line's end.
    private void EndLine()
    {
        SkipBlanks();
        SkipComment();
        if (!AtEnd && !TryNewline())
            throw Error($"the line should end here, not go on with {Shown()}");
    }

    private void SkipComment()
    {
        if (Here != '#')
            return;
        while (!AtEnd && Here is not ('\n' or '\r'))
        {
            CheckCharacter("a comment");
            _position++;
        }
    }

    private bool TryNewline()
    {
        if (Here == '\r' && _position + 1 < _text.Length && _text[_position + 1] == '\n')
            _position++;
        if (Here != '\n')
            return false;
        _position++;
        _line++;
        _lineStart = _position;
        return true;
    }

    private void Expect(char wanted, string after)
    {
        SkipBlanks();
        if (Here != wanted)
            throw Error($"'{wanted}' was expected after {after}, not {Shown()}");
        _position++;
    }

    private void CheckCharacter(string inside)
    {
        if (char.IsControl(Here) && Here is not '\t' and < '\u0080')
            throw Error($"the control character U+{(int)Here:X4} in {inside}");
    }

    private string Shown() => AtEnd ? "the end of the text"
        : Here is '\n' or '\r' ? "the end of the line"
        : char.IsControl(Here) || char.IsSurrogate(Here) ? $"U+{(int)Here:X4}" : $"'{Here}'";

    private TomlException Error(string cause) => new(_line, Column, cause);

    private static T Add<T>(TomlTable table, KeyPart part, T value)
        where T : TomlValue
    {
        table.Entries.Add(part.Name, value);
        table.KeyPlaces.Add(part.Name, (part.Line, part.Column));
        return value;
    }

    private static TomlException Duplicate(KeyPart part, TomlValue there) =>
        part.Error($"\"{part.Name}\" is already there, {there.Kind} at line {there.Line}");

    private readonly record struct KeyPart(string Name, int Line, int Column)
    {
        public TomlException Error(string cause) => new(Line, Column, cause);
    }
}
