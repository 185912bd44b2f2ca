namespace LazySnapshotter.Layers.Toc;

/// <summary>What a layer's entries mostly share: a layer has a dozen different ones.</summary>
internal readonly record struct TocAttributes(ushort Mode, uint Uid, uint Gid);
