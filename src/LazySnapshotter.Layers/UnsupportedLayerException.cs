namespace LazySnapshotter.Layers;

/// <summary>
/// A layer that may be perfectly fine but cannot be read lazily (zstd, for one). The message says why; containerd
/// should unpack it the ordinary way.
/// </summary>
public sealed class UnsupportedLayerException(string message) : Exception(message);
