namespace LazySnapshotter.Layers.Tar;

/// <summary>One record of a pax header as it stands there; both parts may hold any byte.</summary>
internal readonly record struct PaxRecord(byte[] Key, byte[] Value);
