using System.Runtime.InteropServices;
using System.Text;

namespace LazySnapshotter.Linux;

// Who and where this process is, and what it may use.
public static partial class Libc
{
    private const int RLIMIT_NOFILE = 7;

    // struct utsname: sysname, nodename, release, version, machine, domainname, each 65 bytes with its zero.
    private const int UtsFieldLength = 65;
    private const int UtsFieldCount = 6;
    private const int UtsReleaseField = 2;

    public static uint GetUserId() => getuid();

    /// <summary>For example "6.1.0-18-amd64".</summary>
    public static string GetKernelRelease()
    {
        Span<byte> names = stackalloc byte[UtsFieldLength * UtsFieldCount];
        Check(uname(names), "uname", default);
        var release = names.Slice(UtsReleaseField * UtsFieldLength, UtsFieldLength);
        return Encoding.UTF8.GetString(release[..release.IndexOf((byte)0)]);
    }

    /// <summary>Raises the soft limit on open files to the hard one.</summary>
    /// <returns>The limit that holds from now on.</returns>
    public static ulong RaiseOpenFileLimit()
    {
        Check(getrlimit(RLIMIT_NOFILE, out var limit), "getrlimit", default);
        if (limit.Soft < limit.Hard)
        {
            limit.Soft = limit.Hard;
            Check(setrlimit(RLIMIT_NOFILE, in limit), "setrlimit", default);
        }

        return limit.Soft;
    }

    [LibraryImport(Library)]
    private static partial uint getuid();

    [LibraryImport(Library, SetLastError = true)]
    private static partial int uname(Span<byte> buf);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getrlimit(int resource, out ResourceLimit rlim);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int setrlimit(int resource, in ResourceLimit rlim);

    // struct rlimit on 64-bit Linux: | soft (8) | hard (8) |
    [StructLayout(LayoutKind.Sequential)]
    internal struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
