using LazySnapshotter.Linux;

namespace LazySnapshotter.TestSupport.Trees;

// What can be seen of one path. Content is the SHA-256 of a regular file, or the error that reading it gave.
public sealed record TreeEntry(
    LinuxPath Path, FileStatus Status, byte[]? LinkTarget, IReadOnlyDictionary<LinuxPath, byte[]> Xattrs, string? Content)
{
    public FileType Type => Status.Type;

    /// <summary>The same for all names of one file.</summary>
    public (uint Major, uint Minor, ulong Inode) FileIdentity => (Status.FileSystemMajor, Status.FileSystemMinor, Status.Inode);
}
