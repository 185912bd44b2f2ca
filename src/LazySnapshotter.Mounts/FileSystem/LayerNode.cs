using LazySnapshotter.Fuse.FileSystem;

namespace LazySnapshotter.Mounts.FileSystem;

// A node of the node-wide filesystem: which layer, and which entry of its table of contents.
//
//   63            32 31             0
//   +---------------+---------------+
//   | slot (>= 1)   | entry         |      entry 0 is the layer's root directory
//   +---------------+---------------+
//
// Slots start at 1, so no layer's node meets the kernel's own root (1). Computed, never allocated: a restarted daemon
// answers for every id the kernel still holds (DESIGN D3).
internal readonly record struct LayerNode(long Slot, int Entry)
{
    public const long SlotMax = int.MaxValue;

    public NodeId ToNodeId() => new(((ulong)Slot << 32) | (uint)Entry);

    public static LayerNode FromNodeId(NodeId node) => new((long)(node.Value >> 32), (int)(node.Value & uint.MaxValue));
}
