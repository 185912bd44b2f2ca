namespace LazySnapshotter.Registry.Hosts.Toml;

/// <summary>A text is not TOML, or not what is expected in it; the message begins with line and column, both counted from 1.</summary>
internal sealed class TomlException(int line, int column, string cause) : FormatException($"line {line}, column {column}: {cause}")
{
    public int Line => line;

    public int Column => column;
}
