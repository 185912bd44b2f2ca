namespace LazySnapshotter.Linux;

// Flags of open(2) that have the same value on every architecture .NET runs on, plus two (the last) that do not and
// are translated at the call.
[Flags]
public enum OpenFlags
{
    O_RDONLY = 0,
    O_WRONLY = 1,
    O_RDWR = 2,
    O_CREAT = 0x40,
    O_EXCL = 0x80,
    O_TRUNC = 0x200,
    O_NONBLOCK = 0x800,
    O_CLOEXEC = 0x80000,
    O_PATH = 0x200000,

    /// <summary>0x10000 on x86-64, 0x4000 on arm64.</summary>
    O_DIRECTORY = 0x1000_0000,

    /// <summary>0x20000 on x86-64, 0x8000 on arm64.</summary>
    O_NOFOLLOW = 0x2000_0000,
}
