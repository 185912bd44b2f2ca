namespace LazySnapshotter.Layers.Tar;

/// <summary>A piece of a sparse file that has data; what lies between pieces reads as zeros.</summary>
internal readonly record struct SparseExtent(long FileOffset, long Length);
