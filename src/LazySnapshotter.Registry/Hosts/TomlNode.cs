using Tomlyn.Parsing;

namespace LazySnapshotter.Registry.Hosts;

// A value of a TOML document with its place, because whoever finds it wrong has to say where. Line and column count from 1.
/// <param name="Value">
/// A string, a bool, a <see cref="TomlArray"/>, a <see cref="TomlTable"/>; of what nobody asks for (numbers, dates) only which it is.
/// </param>
/// <param name="Key">Under which it is found; of an item of an array, nothing.</param>
internal sealed record TomlNode(object? Value, int Line, int Column, string Key = "", int KeyLine = 1, int KeyColumn = 1)
{
    /// <summary>For messages.</summary>
    public string Kind => Value switch
    {
        string => "a string",
        bool => "a boolean",
        TomlArray => "an array",
        TomlTable => "a table",
        TomlParseEventKind.Integer => "an integer",
        TomlParseEventKind.Float => "a float",
        _ => "a date or time",
    };

    public HostsFileException Error(string cause) => new(Line, Column, cause);

    public HostsFileException KeyError(string cause) => new(KeyLine, KeyColumn, cause);
}

internal sealed class TomlArray : List<TomlNode>;

/// <summary>Keys in the order in which they appear first.</summary>
internal sealed class TomlTable() : OrderedDictionary<string, TomlNode>(StringComparer.Ordinal);
