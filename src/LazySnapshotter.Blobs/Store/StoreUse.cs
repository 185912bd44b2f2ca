using LazySnapshotter.Linux;

namespace LazySnapshotter.Blobs.Store;

// One process's use of a directory that several processes may use at once: a shared flock(2), which the kernel lets go
// when the process ends, however it ends. Sharing is safe because whatever a process finds there it checks before it
// believes it (a span by its digest, a whole blob by having its name). Only tidying up after the dead needs to be
// alone: nobody's half-written file may be taken for a leftover.
internal sealed class StoreUse : IDisposable
{
    private readonly LinuxFileHandle _file;

    private StoreUse(LinuxFileHandle file) => _file = file;

    /// <param name="path">The lock file; made if it is missing.</param>
    /// <param name="whenAlone">Run first if no other process uses the directory; others wait for it to end.</param>
    public static StoreUse Begin(string path, Action whenAlone)
    {
        const uint ownerOnly = 0x180; // 0600
        var file = Libc.Open(path, OpenFlags.O_RDWR | OpenFlags.O_CREAT, ownerOnly);
        try
        {
            if (Libc.TryLock(file))
                whenAlone();
            Libc.LockShared(file);
            return new StoreUse(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();
}
