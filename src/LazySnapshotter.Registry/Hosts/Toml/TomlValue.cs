namespace LazySnapshotter.Registry.Hosts.Toml;

// What a TOML document consists of. Each value knows where it stands, because whoever finds it wrong has to say so.
internal abstract class TomlValue(int line, int column)
{
    /// <summary>From 1.</summary>
    public int Line => line;

    /// <summary>From 1, in characters.</summary>
    public int Column => column;

    /// <summary>For messages: "a string", "a table".</summary>
    public abstract string Kind { get; }

    public TomlException Error(string cause) => new(line, column, cause);
}

internal sealed class TomlString(string value, int line, int column) : TomlValue(line, column)
{
    public string Value => value;

    public override string Kind => "a string";
}

internal sealed class TomlInteger(long value, int line, int column) : TomlValue(line, column)
{
    public long Value => value;

    public override string Kind => "an integer";
}

internal sealed class TomlFloat(double value, int line, int column) : TomlValue(line, column)
{
    public double Value => value;

    public override string Kind => "a float";
}

internal sealed class TomlBoolean(bool value, int line, int column) : TomlValue(line, column)
{
    public bool Value => value;

    public override string Kind => "a boolean";
}

/// <summary>A date, a time, or both, checked but left as it is written: nothing here asks for one.</summary>
internal sealed class TomlDateTime(string text, int line, int column) : TomlValue(line, column)
{
    public string Text => text;

    public override string Kind => "a date or time";
}

internal sealed class TomlArray(bool ofTables, int line, int column) : TomlValue(line, column)
{
    public List<TomlValue> Items { get; } = [];

    /// <summary>Written as <c>[[name]]</c>; only such an array can be continued.</summary>
    public bool IsOfTables => ofTables;

    public override string Kind => "an array";
}

/// <summary>Keys in the order in which they appear.</summary>
internal sealed class TomlTable(TomlTableOrigin origin, int line, int column) : TomlValue(line, column)
{
    public OrderedDictionary<string, TomlValue> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the key of each entry stands.</summary>
    public Dictionary<string, (int Line, int Column)> KeyPlaces { get; } = new(StringComparer.Ordinal);

    public TomlTableOrigin Origin { get; set; } = origin;

    public override string Kind => "a table";
}

// How a table came to be, which decides what may still be added to it (toml.io v1.0.0, "Table" and "Inline Table").
internal enum TomlTableOrigin
{
    /// <summary>In front of another one in a header: <c>a</c> of <c>[a.b]</c>. May get a header of its own, once.</summary>
    Implicit,

    /// <summary><c>[a]</c>, an element of <c>[[a]]</c>, or the document.</summary>
    Header,

    /// <summary><c>a</c> of <c>a.b = 1</c>. More dotted keys may add to it, a header of its own may not.</summary>
    DottedKey,

    /// <summary><c>{ b = 1 }</c>: complete.</summary>
    Inline,
}
