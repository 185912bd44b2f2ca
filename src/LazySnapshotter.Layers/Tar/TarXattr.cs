namespace LazySnapshotter.Layers.Tar;

/// <summary>One <c>SCHILY.xattr.*</c> record; the value may hold any byte.</summary>
internal readonly record struct TarXattr(byte[] Name, byte[] Value);
