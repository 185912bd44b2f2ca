using System.Text;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Mounts.Tests;

internal static class SlotLookup
{
    /// <summary>Looks a slot up as a session does: what has to be opened for it is opened first.</summary>
    public static async Task<Errno> LookAsync(this LayerMounter mounter, long slot)
    {
        var name = Encoding.ASCII.GetBytes($"{slot}");
        if (mounter.FileSystem.WhenReady(NodeId.Root, name) is { } preparation)
            await preparation;
        return mounter.FileSystem.Lookup(NodeId.Root, name, out _, out _);
    }
}
