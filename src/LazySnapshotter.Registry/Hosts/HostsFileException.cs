namespace LazySnapshotter.Registry.Hosts;

/// <summary>A hosts.toml is not TOML, or says what it should not; the message begins with line and column, both counted from 1.</summary>
internal sealed class HostsFileException(int line, int column, string cause) : FormatException($"line {line}, column {column}: {cause}")
{
    public int Line => line;

    public int Column => column;
}
