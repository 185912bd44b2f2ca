namespace LazySnapshotter.Layers.Soci;

/// <param name="IndexId">Identity of the index file (<see cref="Format.LayerIndex.Id"/>).</param>
/// <param name="IndexLength">Length of the index file.</param>
public sealed record ZtocImportResult(int SpanCount, int EntryCount, string IndexId, long IndexLength);
