namespace LazySnapshotter.Cli.Inspection;

/// <summary>What a person wants to know of the indexes of an image's layers.</summary>
internal sealed record ImageFacts
{
    public required string Image { get; init; }

    public required string Platform { get; init; }

    public string? Manifest { get; init; }

    /// <summary>Lowest first; null for a layer that has no index here.</summary>
    public required IReadOnlyList<IndexFacts?> Layers { get; init; }

    public required IReadOnlyList<string> LayersWithoutIndex { get; init; }

    /// <summary>Null where a layer has no index, or the image no command.</summary>
    public EntrypointFacts? Entrypoint { get; init; }
}
