namespace LazySnapshotter.Layers.Toc;

// Times as unpacking leaves them: what Go's time.Time cannot say becomes 1970, and directories get theirs last.
internal sealed partial class TocBuilder
{
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
                throw new InvalidDataException($"tar: directory {TarPath.Display(name)}: its name leads to nothing that the layer lists, in the end");
            (_tree[node].MtimeSeconds, _tree[node].MtimeNanoseconds) = BoundTime(seconds, nanoseconds);
        }

        _directoryTimes.Clear();
    }

    private static (long Seconds, uint Nanoseconds) BoundTime(long seconds, uint nanoseconds) =>
        seconds < 0 || seconds > MtimeSecondsMax || (seconds == MtimeSecondsMax && nanoseconds > MtimeNanosecondsMax)
            ? (0, 0)
            : (seconds, nanoseconds);
}
