using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Mounts;

// How many extended attributes a file of a container may have depends on the node's filesystem; ext4 with its usual blocks holds
// least. A layer that has more is containerd's to unpack or to refuse, so that it is the same image as beside us.
internal static class XattrRoom
{
    // ext4 (fs/ext4/xattr.h): one block of 4096 bytes with a header of 32 and a zero at the end; an entry takes 16 bytes and its
    // name without the namespace, and its value; both are padded. The room in the inode, which may be used up, is left out.
    private const int BytesMax = 4096 - 32 - 4;
    private const int EntryLength = 16;
    private const int Padding = 4;

    /// <exception cref="UnsupportedLayerException">An entry has more than every filesystem holds.</exception>
    public static void Check(LayerToc toc)
    {
        foreach (var (entry, xattrs) in toc.EntriesWithXattrs)
        {
            var bytes = xattrs.Sum(xattr => EntryLength + Padded(xattr.Name.Length) + Padded(xattr.Value.Length));
            if (bytes > BytesMax)
            {
                throw new UnsupportedLayerException(
                    $"{toc.DisplayPathOf(entry)}: its extended attributes take {bytes} bytes, more than {BytesMax}, which all " +
                        $"filesystems hold");
            }
        }
    }

    private static int Padded(int length) => (length + Padding - 1) / Padding * Padding;
}
