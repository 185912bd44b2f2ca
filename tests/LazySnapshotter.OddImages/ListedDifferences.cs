namespace LazySnapshotter.OddImages;

// The differences docs/SEMANTICS.md lists, as rules: what containerd says when it cannot unpack what is shown here.
internal static class ListedDifferences
{
    public static bool IsPatience(string containerdSays) =>
        IsLinkToLaterEntry(containerdSays) || IsWhiteoutOfOwnEntry(containerdSays) || IsParentThatIsGone(containerdSays);

    // "link …/fs/a …/fs/b: no such file or directory"
    private static bool IsLinkToLaterEntry(string says) => Has(says, ": link ") && Has(says, "no such file or directory");

    // "failed to convert whiteout file "d/.wh.f": file exists"
    private static bool IsWhiteoutOfOwnEntry(string says) => Has(says, "failed to convert whiteout file") && Has(says, "file exists");

    // "mkparent …/fs/d/e: …": d/e is in no tar here, and below it is no directory.
    private static bool IsParentThatIsGone(string says) => Has(says, "mkparent ") && (Has(says, "not a directory") || Has(says, "no such file or directory"));

    private static bool Has(string says, string part) => says.Contains(part, StringComparison.Ordinal);
}
