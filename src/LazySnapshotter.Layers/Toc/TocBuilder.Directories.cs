namespace LazySnapshotter.Layers.Toc;

// What unpacking does to directories besides what their headers say: the group of one that is made on the way, and times, which
// are set last (what Go's time.Time cannot say becomes 1970, here and for files).
internal sealed partial class TocBuilder
{
    private const uint SetGroupId = 0x400; // 02000

    /// <summary>The last second Go's time.UnixNano can say, and the nanoseconds in it.</summary>
    private const long MtimeSecondsMax = long.MaxValue / 1_000_000_000;
    private const uint MtimeNanosecondsMax = (uint)(long.MaxValue % 1_000_000_000);

    private readonly List<(byte[] Name, long Seconds, uint Nanoseconds)> _directoryTimes = [];

    // containerd sets the times of directories when all else is done, by name. Where an entry took the place of a directory, or
    // of a symbolic link on the way to one, that time goes to whatever the name leads to by then; unpacking fails if that is nothing.
    private void SetDirectoryTimes()
    {
        foreach (var (name, seconds, nanoseconds) in _tree.HasTakenPaths ? _directoryTimes : [])
        {
            TarPath.Clean(name, _components);
            PushAll(_components, _components.Count);
            var node = Walk(create: false, toAnything: true);
            if (node is TocTree.None or TocTree.Root || _tree[node].IsImplicit)
            {
                throw new InvalidDataException(
                    $"tar: directory {TarPath.Display(name)}: its name leads to nothing that the layer lists, in the end");
            }

            (_tree[node].MtimeSeconds, _tree[node].MtimeNanoseconds) = BoundTime(seconds, nanoseconds);
        }

        _directoryTimes.Clear();
    }

    /// <summary>Made by mkdir(2): a set-group-ID directory gives its group on.</summary>
    private int ImplicitAttributes(int parent)
    {
        var (mode, _, gid) = _tree.Attributes(_tree[parent].Attributes);
        return _tree.AttributesOf(ImplicitMode, 0, (mode & SetGroupId) != 0 ? gid : 0);
    }

    private static (long Seconds, uint Nanoseconds) BoundTime(long seconds, uint nanoseconds) =>
        seconds < 0 || seconds > MtimeSecondsMax || (seconds == MtimeSecondsMax && nanoseconds > MtimeNanosecondsMax)
            ? (0, 0)
            : (seconds, nanoseconds);
}
