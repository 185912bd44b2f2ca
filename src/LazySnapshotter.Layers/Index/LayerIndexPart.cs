namespace LazySnapshotter.Layers.Index;

/// <summary>One part of an index file, for people who want to know where its bytes go.</summary>
public readonly record struct LayerIndexPart(string Name, long Length);
