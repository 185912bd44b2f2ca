using LazySnapshotter.Linux;
using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.OddImages;

// The differences docs/SEMANTICS.md lists, as rules: what containerd says when it cannot unpack what is shown here, and what may
// differ in a tree.
internal static class ListedDifferences
{
    private const uint SetGroupId = 0x400;

    public static bool IsPatience(string containerdSays) =>
        IsLinkToLaterEntry(containerdSays) || IsWhiteoutOfOwnEntry(containerdSays) || IsParentThatIsGone(containerdSays)
        || IsLongXattr(containerdSays);

    /// <summary>The group of a directory that no tar lists, in a set-group-ID directory which the layer does not list either.</summary>
    public static bool IsGroupOfParent(Tree expected, Tree actual, TreeDifference difference)
    {
        var path = difference.Path;
        var slash = path.Bytes.LastIndexOf((byte)'/');
        if (difference.Aspect != nameof(TreeAspects.Owner) || slash <= 0)
            return false;
        var parent = expected.Entries[new LinuxPath(path.Bytes[..slash])].Status;
        var (wanted, got) = (expected.Entries[path].Status, actual.Entries[path].Status);
        return wanted.Type == FileType.S_IFDIR && (parent.Mode & SetGroupId) != 0 && wanted.Gid == parent.Gid
            && (wanted.Uid, 0u) == (got.Uid, got.Gid);
    }

    // "link …/fs/a …/fs/b: no such file or directory"
    private static bool IsLinkToLaterEntry(string says) => Has(says, ": link ") && Has(says, "no such file or directory");

    // "failed to convert whiteout file "d/.wh.f": file exists"
    private static bool IsWhiteoutOfOwnEntry(string says) => Has(says, "failed to convert whiteout file") && Has(says, "file exists");

    // "mkparent …/fs/d/e: …", or "lstat …/fs/d/e: not a directory" or "too many links" in a layer below: the tar leaves
    // d/e out, and below it is no directory.
    private static bool IsParentThatIsGone(string says) =>
        (Has(says, "mkparent ") && (Has(says, "not a directory") || Has(says, "no such file or directory")))
        || (Has(says, "lstat ") && Has(says, "/snapshots/") && !Has(says, "failed to get root path")
            && (Has(says, "not a directory") || Has(says, "too many levels of symbolic links")))
        || (Has(says, "too many links") && !Has(says, "failed to get root path"));

    // "failed to setxattr "…" for key "user.long": no space left on device": ext4 takes some 4 KB for each file.
    private static bool IsLongXattr(string says) => Has(says, "failed to setxattr") && Has(says, "no space left on device");

    private static bool Has(string says, string part) => says.Contains(part, StringComparison.Ordinal);
}
