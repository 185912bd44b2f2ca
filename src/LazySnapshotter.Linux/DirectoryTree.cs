using System.Text;

namespace LazySnapshotter.Linux;

// Whole directory trees that containers wrote: names need not be UTF-8, and trees may be deeper than any path can say.
// So the walk goes by open directories, each name looked up below /proc/self/fd/<n>, which also means that a directory
// swapped for a symbolic link leads nowhere else.
public static class DirectoryTree
{
    /// <summary>Directories held open at a time: well below the lowest limit on open files in use (1024).</summary>
    internal const int DepthMax = 256;

    private const int NamesAtATimeBytes = 32 * 1024;

    /// <summary>
    /// Bytes allocated and inodes used by a tree, its root included, a file with several names counted once. What lies
    /// deeper than 256 directories is not counted.
    /// </summary>
    public static (long Bytes, long Inodes) Usage(LinuxPath root, CancellationToken cancellationToken)
    {
        long bytes = 0, inodes = 0;
        var seen = new HashSet<(ulong FileSystem, ulong Inode)>();
        Count(Libc.GetStatus(root));

        using var walk = new Walk(root);
        while (walk.Next() is { } name)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Files come and go under a running container: what is gone takes no space.
            if (Libc.TryGetStatus(name, out var status) != Errno.None)
                continue;
            Count(status);
            if (status.Type == FileType.S_IFDIR && walk.Depth < DepthMax)
                walk.TryEnter(name, onLeave: null);
        }

        return (bytes, inodes);

        void Count(in FileStatus status)
        {
            const int BlockBytes = 512;
            var fileSystem = ((ulong)status.FileSystemMajor << 32) | status.FileSystemMinor;
            if (status.Type != FileType.S_IFDIR && status.LinkCount > 1 && !seen.Add((fileSystem, status.Inode)))
                return;
            bytes += status.Blocks * BlockBytes;
            inodes++;
        }
    }

    /// <summary>Removes a tree. Where something is mounted below it, that is an error (EBUSY).</summary>
    /// <exception cref="LinuxException">Something cannot be removed; the message names it.</exception>
    public static void Delete(LinuxPath root, CancellationToken cancellationToken)
    {
        // A directory that lies too deep is moved up to the root, where the next round finds it.
        while (DeleteContent(root, cancellationToken))
        {
        }

        Libc.RemoveDirectory(root);
    }

    private static bool DeleteContent(LinuxPath root, CancellationToken cancellationToken)
    {
        var movedUp = false;
        using var walk = new Walk(root);
        while (walk.Next() is { } name)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Libc.GetStatus(name).Type != FileType.S_IFDIR)
            {
                Libc.Unlink(name);
            }
            else if (walk.Depth < DepthMax)
            {
                walk.TryEnter(name, onLeave: Libc.RemoveDirectory);
            }
            else
            {
                Libc.Rename(name, walk.Root.Append(Encoding.ASCII.GetBytes($"deep-{Guid.NewGuid():N}")));
                movedUp = true;
            }
        }

        return movedUp;
    }

    // Depth first, with a stack of open directories in place of recursion. An entry may be removed once it was given:
    // a directory's names are copied out buffer by buffer.
    private sealed class Walk : IDisposable
    {
        private readonly Stack<Level> _levels = new();

        public Walk(LinuxPath root)
        {
            var level = new Level(root, null);
            _levels.Push(level);
            Root = level.Path;
        }

        /// <summary>The root by its descriptor, valid while the walk lasts.</summary>
        public LinuxPath Root { get; }

        public int Depth => _levels.Count;

        /// <returns>The next name, to be used before the walk goes on; null at the end.</returns>
        public LinuxPath? Next()
        {
            while (true)
            {
                if (_levels.Peek().Next() is { } name)
                    return name;
                if (_levels.Count == 1)
                    return null;
                using var left = _levels.Pop();
                left.OnLeave?.Invoke();
            }
        }

        /// <returns>False if it is gone, or no directory any more.</returns>
        public bool TryEnter(LinuxPath directory, Action<LinuxPath>? onLeave)
        {
            try
            {
                _levels.Push(new Level(directory, onLeave is null ? null : () => onLeave(directory)));
                return true;
            }
            catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP)
            {
                return false;
            }
        }

        public void Dispose()
        {
            foreach (var level in _levels)
                level.Dispose();
        }
    }

    private sealed class Level : IDisposable
    {
        private readonly LinuxFileHandle _directory;
        private List<DirectoryItem> _names = [];
        private int _next;

        public Level(LinuxPath path, Action? onLeave)
        {
            _directory = Libc.Open(path, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW);
            Path = $"/proc/self/fd/{_directory.Descriptor}";
            OnLeave = onLeave;
        }

        public LinuxPath Path { get; }

        public Action? OnLeave { get; }

        public LinuxPath? Next()
        {
            while (true)
            {
                if (_next == _names.Count)
                {
                    _names = Libc.ReadDirectory(_directory, NamesAtATimeBytes);
                    _next = 0;
                    if (_names.Count == 0)
                        return null;
                }

                var name = _names[_next++].Name;
                if (!name.AsSpan().SequenceEqual("."u8) && !name.AsSpan().SequenceEqual(".."u8))
                    return Path.Append(name);
            }
        }

        public void Dispose() => _directory.Dispose();
    }
}
