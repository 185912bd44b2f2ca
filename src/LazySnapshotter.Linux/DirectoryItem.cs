namespace LazySnapshotter.Linux;

// One name in a directory as getdents64(2) gives it: raw bytes, inode number, type where the filesystem tells it, and
// the position to go on from (telldir(3)).
public sealed record DirectoryItem(byte[] Name, ulong Inode, FileType? Type, long NextPosition);
