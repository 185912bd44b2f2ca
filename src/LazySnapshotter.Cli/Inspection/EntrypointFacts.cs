namespace LazySnapshotter.Cli.Inspection;

/// <summary>What a container of the image reads before its program's first instruction, and what that fetches.</summary>
internal sealed record EntrypointFacts
{
    /// <summary>The command as the configuration has it.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The program, then the interpreters it needs, as far as they could be followed.</summary>
    public required IReadOnlyList<EntrypointFile> Files { get; init; }

    /// <summary>Compressed bytes of the spans that hold the first 4 KiB of these files, each span once.</summary>
    public required long FirstReadLength { get; init; }

    /// <summary>Likewise for the whole files.</summary>
    public required long WholeReadLength { get; init; }

    /// <summary>Why the trace ends where it does, if it could not be followed to its end.</summary>
    public string? Incomplete { get; init; }
}

/// <summary>One of them.</summary>
internal sealed record EntrypointFile(string Path, long Length, string Layer, long FirstReadLength, long WholeReadLength);
