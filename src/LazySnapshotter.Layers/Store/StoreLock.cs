using System.Globalization;
using System.Text;
using LazySnapshotter.Linux;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Store;

// The exclusive hold of one process on a directory: a file locked with flock(2), which the kernel lets go when the
// process ends, however it ends. The file says which process holds it; without the lock the number means nothing.
internal sealed class StoreLock : IDisposable
{
    private readonly LinuxFileHandle _file;

    private StoreLock(LinuxFileHandle file) => _file = file;

    /// <exception cref="IOException">Another process has it, or the file cannot be used.</exception>
    public static StoreLock Take(string path)
    {
        const uint ownerOnly = 0x180; // 0600
        // Not File.Open: it takes a shared lock of its own, so that the loser could not even read who has it.
        var file = Libc.Open(path, OpenFlags.O_RDWR | OpenFlags.O_CREAT, ownerOnly);
        try
        {
            using var text = new SafeFileHandle(file.Descriptor, ownsHandle: false);
            if (!Libc.TryLock(file))
                throw new IOException($"{Path.GetDirectoryName(path)} is in use by process {HolderIn(text)} ({path} is locked)");
            RandomAccess.SetLength(text, 0);
            RandomAccess.Write(text, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), 0);
            return new StoreLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static string HolderIn(SafeFileHandle text)
    {
        Span<byte> buffer = stackalloc byte[16];
        var read = RandomAccess.Read(text, buffer, 0);
        return int.TryParse(buffer[..read], CultureInfo.InvariantCulture, out var pid) ? pid.ToString(CultureInfo.InvariantCulture) : "(unknown)";
    }
}
