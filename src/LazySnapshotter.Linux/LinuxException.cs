using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// A system call that failed: which one, on what, and why. The message reads like a tool's:
// "mount /x: EBUSY (Device or resource busy)".
public sealed class LinuxException(Errno errno, string call, string? path = null) : IOException(Describe(errno, call, path))
{
    public Errno Errno { get; } = errno;

    /// <summary>The call's name in section 2 of the manual.</summary>
    public string Call { get; } = call;

    public string? Path { get; } = path;

    private static string Describe(Errno errno, string call, string? path)
    {
        var name = Enum.GetName(errno) ?? "errno " + (int)errno;
        var subject = string.IsNullOrEmpty(path) ? call : call + " " + path;
        return $"{subject}: {name} ({Marshal.GetPInvokeErrorMessage((int)errno)})";
    }
}
