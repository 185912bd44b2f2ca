namespace LazySnapshotter.OddImages;

// The differences docs/SEMANTICS.md lists, as rules: what containerd says when it cannot unpack what is shown here.
internal static class ListedDifferences
{
    public static bool IsPatience(string containerdSays) => IsLinkBeforeTarget(containerdSays);

    // link(2): failed to apply layer: ... link /…/fs/a /…/fs/b: no such file or directory
    private static bool IsLinkBeforeTarget(string says) =>
        says.Contains(": link ", StringComparison.Ordinal) && says.Contains("no such file or directory", StringComparison.Ordinal);
}
