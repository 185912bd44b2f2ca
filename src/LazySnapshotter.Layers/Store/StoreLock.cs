using System.Globalization;
using System.Text;
using LazySnapshotter.Linux;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Store;

// The exclusive hold of one process on a directory: a file locked with flock(2), which the kernel lets go when the
// process ends, however it ends. The file says which process holds it; without the lock the number means nothing.
internal sealed class StoreLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private StoreLock(SafeFileHandle file) => _file = file;

    /// <exception cref="IOException">Another process has it, or the file cannot be used.</exception>
    public static StoreLock Take(string path)
    {
        var file = Libc.OpenLockFile(path);
        try
        {
            if (!Libc.TryLock(file, path))
                throw new IOException($"{Path.GetDirectoryName(path)} is in use by process {HolderOf(file)} ({path} is locked)");
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), 0);
            return new StoreLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static string HolderOf(SafeFileHandle file)
    {
        Span<byte> text = stackalloc byte[16];
        var read = RandomAccess.Read(file, text, 0);
        return int.TryParse(text[..read], CultureInfo.InvariantCulture, out var pid) ? pid.ToString(CultureInfo.InvariantCulture) : "(unknown)";
    }
}
