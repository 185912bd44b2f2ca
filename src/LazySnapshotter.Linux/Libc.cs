using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// The only P/Invokes into libc, one file per topic. Imports are private and named as in the manual; the methods around
// them speak C#: paths are LinuxPath, descriptors are SafeHandles, failures are LinuxExceptions. Where a failure is an
// ordinary answer the method says so in its return type. Structs whose layout differs between x86-64 and arm64 are avoided.
public static partial class Libc
{
    private const string Library = "libc";

    private static Errno LastErrno => (Errno)Marshal.GetLastPInvokeError();

    private static void Check(int result, string call, LinuxPath path)
    {
        if (result < 0)
            Throw(call, path);
    }

    [DoesNotReturn]
    private static void Throw(string call, LinuxPath path = default) => throw new LinuxException(LastErrno, call, path.ToString());
}
