using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.TestSupport.Trees;

// Compares two trees path by path. Deterministic: differences come sorted by path.
public static class TreeComparer
{
    private static readonly HashSet<LinuxPath> NoPaths = [];

    /// <param name="expected">What is right, for example an image unpacked by overlayfs.</param>
    /// <param name="directoriesWithTimeOfTheirOwn">Directories whose time may differ (TestImage knows them).</param>
    public static IReadOnlyList<TreeDifference> Compare(
        Tree expected, Tree actual, IReadOnlySet<LinuxPath>? directoriesWithTimeOfTheirOwn = null, TreeAspects aspects = TreeAspects.All)
    {
        var comparison = new Comparison(expected, actual, directoriesWithTimeOfTheirOwn ?? NoPaths, aspects);
        return comparison.Run();
    }

    private sealed class Comparison(Tree expected, Tree actual, IReadOnlySet<LinuxPath> timeless, TreeAspects aspects)
    {
        private readonly List<TreeDifference> _differences = [];

        public List<TreeDifference> Run()
        {
            var expectedLinks = HardLinks(expected);
            var actualLinks = HardLinks(actual);
            foreach (var path in expected.Entries.Keys.Union(actual.Entries.Keys).Order(ByBytes))
            {
                var there = expected.Entries.TryGetValue(path, out var wanted);
                if (!there || !actual.Entries.TryGetValue(path, out var got))
                {
                    Add(path, "existence", there
                        ? wanted!.Type.ToString()
                        : "nothing", there
                        ? "nothing"
                        : actual.Entries[path].Type.ToString());
                    continue;
                }

                if (wanted!.Type != got.Type)
                {
                    Add(path, "type", wanted.Type.ToString(), got.Type.ToString());
                    continue;
                }

                CompareEntries(wanted, got);
                Check(TreeAspects.HardLinks, path, expectedLinks.GetValueOrDefault(path, path), actualLinks.GetValueOrDefault(path, path),
                    first => TreeDifference.Show(first.Bytes));
            }

            return _differences;
        }

        private void CompareEntries(TreeEntry wanted, TreeEntry got)
        {
            var path = wanted.Path;
            var directory = wanted.Type == FileType.S_IFDIR;
            Check(TreeAspects.Mode, path, wanted.Status.Mode, got.Status.Mode, mode => Convert.ToString(mode, 8));
            Check(TreeAspects.Owner, path, (wanted.Status.Uid, wanted.Status.Gid), (got.Status.Uid, got.Status.Gid), owner =>
                owner.ToString());
            if (!directory || !timeless.Contains(path))
                Check(TreeAspects.ModificationTime, path, Time(wanted.Status), Time(got.Status), time => time);
            if (wanted.Type is FileType.S_IFREG or FileType.S_IFLNK)
                Check(TreeAspects.Size, path, wanted.Status.Size, got.Status.Size, size => size.ToString(CultureInfo.InvariantCulture));
            if (!directory)
                Check(TreeAspects.LinkCount, path, wanted.Status.LinkCount, got.Status.LinkCount, count =>
                    count.ToString(CultureInfo.InvariantCulture));
            if (wanted.Type is FileType.S_IFCHR or FileType.S_IFBLK)
                Check(TreeAspects.DeviceNumber, path, Device(wanted.Status), Device(got.Status), device => device.ToString());
            Check(TreeAspects.LinkTarget, path, Show(wanted.LinkTarget), Show(got.LinkTarget), target => target);
            Check(TreeAspects.Xattrs, path, Xattrs(wanted), Xattrs(got), list => list);
            Check(TreeAspects.Content, path, wanted.Content, got.Content, content => content ?? "none");
        }

        private void Check<T>(TreeAspects aspect, LinuxPath path, T wanted, T got, Func<T, string> show)
        {
            if (aspects.HasFlag(aspect) && !EqualityComparer<T>.Default.Equals(wanted, got))
                Add(path, aspect.ToString(), show(wanted), show(got));
        }

        private void Add(LinuxPath path, string aspect, string wanted, string got) =>
            _differences.Add(new TreeDifference(path, aspect, wanted, got));

        // Every name of a file with several names -> the first of them. Inode numbers differ between two trees; groups do not.
        private static Dictionary<LinuxPath, LinuxPath> HardLinks(Tree tree)
        {
            var firsts = new Dictionary<LinuxPath, LinuxPath>();
            var files = tree.Entries.Values.Where(entry => entry.Type != FileType.S_IFDIR && entry.Status.LinkCount > 1);
            foreach (var file in files.GroupBy(entry => entry.FileIdentity))
            {
                var names = file.Select(entry => entry.Path).Order(ByBytes).ToList();
                foreach (var name in names)
                    firsts[name] = names[0];
            }

            return firsts;
        }

        private static Comparer<LinuxPath> ByBytes { get; } = Comparer<LinuxPath>.Create((a, b) => a.Bytes.SequenceCompareTo(b.Bytes));

        private static string Time(FileStatus status) =>
            string.Create(CultureInfo.InvariantCulture, $"{status.ModifiedSeconds}.{status.ModifiedNanoseconds:D9}");

        private static (uint Major, uint Minor) Device(FileStatus status) => (status.DeviceMajor, status.DeviceMinor);

        private static string Show(byte[]? bytes) => bytes is null ? "" : TreeDifference.Show(bytes);

        private static string Xattrs(TreeEntry entry) => string.Join(
            ' ', entry.Xattrs.OrderBy(xattr => xattr.Key, ByBytes)
                .Select(xattr => $"{TreeDifference.Show(xattr.Key.Bytes)}={Convert.ToHexStringLower(xattr.Value)}"));
    }
}
