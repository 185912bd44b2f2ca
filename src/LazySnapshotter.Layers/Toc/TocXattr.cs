namespace LazySnapshotter.Layers.Toc;

/// <summary>One extended attribute; the name has its namespace (<c>security.capability</c>), the value may hold any byte.</summary>
public readonly record struct TocXattr(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);
