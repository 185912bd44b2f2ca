using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// A file descriptor of a kind that .NET's SafeFileHandle has no use for: a device, an event counter, an epoll set, a
// directory. Closed once, by whoever owns the object; a call in another thread keeps it open until it returns.
public sealed partial class LinuxFileHandle : SafeHandle
{
    // For the marshaller, which makes the object before the call so that no descriptor can be lost.
    public LinuxFileHandle() : base(-1, ownsHandle: true)
    {
    }

    /// <summary>Takes over a descriptor, for example one inherited from the service manager.</summary>
    public LinuxFileHandle(int descriptor) : this() => SetHandle(descriptor);

    // The C library returns an int: of the register the marshaller reads, only the lower half is defined.
    public override bool IsInvalid => unchecked((int)handle) < 0;

    /// <summary>The number, for text that the kernel parses (<c>fd=7</c>). Valid while the handle is open.</summary>
    public int Descriptor => unchecked((int)handle);

    // close(2) must not be repeated on EINTR: on Linux the descriptor is gone either way.
    protected override bool ReleaseHandle() => close(Descriptor) == 0;

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
