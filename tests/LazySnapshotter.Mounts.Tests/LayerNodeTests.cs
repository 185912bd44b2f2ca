using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Mounts.FileSystem;

namespace LazySnapshotter.Mounts.Tests;

public sealed class LayerNodeTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, int.MaxValue)]
    [InlineData(LayerNode.SlotMax, 12345)]
    public void A_node_id_gives_back_slot_and_entry(long slot, int entry)
    {
        var node = new LayerNode(slot, entry).ToNodeId();
        Assert.Equal(new LayerNode(slot, entry), LayerNode.FromNodeId(node));
        Assert.NotEqual(NodeId.Root, node);
    }
}
