using System.Collections.Concurrent;
using System.Security.Cryptography;
using LazySnapshotter.Linux;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.TestSupport.Trees;

// Everything below a directory, read with raw names: strings would lose those that are not UTF-8. Paths are absolute as
// seen from inside ("/" is the directory itself). Reads every byte of every file.
public sealed class Tree
{
    private const int ReadLength = 1 << 20;

    private readonly Dictionary<LinuxPath, TreeEntry> _entries;

    private Tree(Dictionary<LinuxPath, TreeEntry> entries, IReadOnlySet<LinuxPath> ghosts) => (_entries, Ghosts) = (entries, ghosts);

    public IReadOnlyDictionary<LinuxPath, TreeEntry> Entries => _entries;

    /// <summary>What a directory lists but nobody finds: overlayfs shows the name of a whiteout that hides nothing so.</summary>
    public IReadOnlySet<LinuxPath> Ghosts { get; }

    public static Tree Read(LinuxPath root)
    {
        var entries = new ConcurrentDictionary<LinuxPath, TreeEntry>();
        var ghosts = new HashSet<LinuxPath>();
        Parallel.ForEach(List(root, ghosts), file => entries[file.Path] = ReadEntry(file.Path, file.Location, file.Status));
        return new Tree(new Dictionary<LinuxPath, TreeEntry>(entries), ghosts);
    }

    /// <summary>Every path with its status, content unread.</summary>
    public static IReadOnlyList<(LinuxPath Path, LinuxPath Location, FileStatus Status)> List(LinuxPath root) => List(root, []);

    private static List<(LinuxPath Path, LinuxPath Location, FileStatus Status)> List(LinuxPath root, HashSet<LinuxPath> ghosts)
    {
        var found = new List<(LinuxPath, LinuxPath, FileStatus)>();
        Collect("/", root, found, ghosts);
        return found;
    }

    private static void Collect(
        LinuxPath path, LinuxPath location, List<(LinuxPath, LinuxPath, FileStatus)> found, HashSet<LinuxPath> ghosts)
    {
        var errno = Libc.TryGetStatus(location, out var status);
        if (errno == Errno.ENOENT)
        {
            ghosts.Add(path);
            return;
        }

        if (errno != Errno.None)
            throw new LinuxException(errno, "statx", location.ToString());

        found.Add((path, location, status));
        if (status.Type != FileType.S_IFDIR)
            return;
        foreach (var item in Libc.ListDirectory(location))
        {
            if (!item.Name.AsSpan().SequenceEqual("."u8) && !item.Name.AsSpan().SequenceEqual(".."u8))
                Collect(path.Append(item.Name), location.Append(item.Name), found, ghosts);
        }
    }

    private static TreeEntry ReadEntry(LinuxPath path, LinuxPath location, FileStatus status)
    {
        var target = status.Type == FileType.S_IFLNK ? Libc.ReadLink(location) : null;
        var xattrs = new Dictionary<LinuxPath, byte[]>();
        foreach (var name in Libc.ListXattrs(location))
            xattrs[new LinuxPath(name)] = Libc.GetXattr(location, new LinuxPath(name)) ?? "(listed, but not there)"u8.ToArray();
        return new TreeEntry(path, status, target, xattrs, status.Type == FileType.S_IFREG ? ReadContent(location) : null);
    }

    // A file that cannot be read is a difference to be reported with all the others, not the end of the comparison.
    private static string ReadContent(LinuxPath location)
    {
        try
        {
            using var descriptor = Libc.Open(location, OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW);
            using var file = new SafeFileHandle(descriptor.Descriptor, ownsHandle: false);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[ReadLength];
            long offset = 0;
            for (int length; (length = RandomAccess.Read(file, buffer, offset)) > 0; offset += length)
                hash.AppendData(buffer, 0, length);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (IOException exception)
        {
            return exception.Message;
        }
    }
}
