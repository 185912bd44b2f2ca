using LazySnapshotter.Oci;

namespace LazySnapshotter.Mounts.Slots;

/// <param name="Number">Never given out twice.</param>
/// <param name="IndexId">Which index the slot's node ids count in.</param>
/// <param name="Inherited">ImplicitDirectories.ToBytes.</param>
/// <param name="Source">An image reference that has the layer.</param>
public sealed record LayerSlot(long Number, Digest Layer, string IndexId, byte[] Inherited, string Source);
