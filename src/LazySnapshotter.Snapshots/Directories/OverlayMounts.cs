using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Directories;

// How a snapshot is mounted, as containerd's overlay snapshotter mounts one: a bind where one directory says it all,
// overlayfs otherwise. Whoever mounts shortens what the lower directories have in common (128 of them do not fit the
// kernel's page of options), so their paths are best siblings and short.
internal sealed class OverlayMounts(SnapshotDirectories directories, Func<long, string> layerDirectory, IReadOnlyList<string> commonOptions)
{
    // Lower directories of several containers overlap; index=on, some distributions' default, refuses that with ESTALE
    // and EBUSY. The parameter is there where the kernel knows the option.
    private const string IndexParameter = "/sys/module/overlay/parameters/index";

    /// <summary>Options every overlay mount on this node gets.</summary>
    public static IReadOnlyList<string> DetectOptions(string root)
    {
        var options = new List<string>();
        if (OverlayProbe.NeedsUserXattr(root))
            options.Add("userxattr");
        if (File.Exists(IndexParameter))
            options.Add("index=off");
        return options;
    }

    /// <summary>The directory that shows a committed snapshot's own files.</summary>
    public string DirectoryOf(SnapshotContent content) =>
        content.LayerId is { } layerId ? layerDirectory(layerId) : directories.FilesOf(content.Id);

    public IReadOnlyList<SnapshotMount> Of(SnapshotChain chain)
    {
        var id = chain.Snapshot.Id;
        var isView = chain.Snapshot.Info.Kind == SnapshotKind.View;

        // An image may have a layer twice. overlayfs refuses a directory it has already (ELOOP), and of two the upper one hides
        // all of the lower one: every entry of it, and whatever its whiteouts and opaque directories hide.
        var parents = chain.Parents.Select(DirectoryOf).Distinct().ToList();
        if (parents.Count == 0)
            return [new SnapshotMount("bind", directories.FilesOf(id), [isView ? "ro" : "rw", "rbind"])];
        if (isView && parents.Count == 1)
            return [new SnapshotMount("bind", parents[0], ["ro", "rbind"])];

        var options = new List<string>();
        if (!isView)
        {
            options.Add("workdir=" + directories.WorkOf(id));
            options.Add("upperdir=" + directories.FilesOf(id));
        }

        options.Add("lowerdir=" + string.Join(':', parents));
        options.AddRange(commonOptions);
        return [new SnapshotMount("overlay", "overlay", options)];
    }
}
