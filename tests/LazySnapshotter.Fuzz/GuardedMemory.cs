using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuzz;

// Memory whose last byte borders on a page without access: reading or writing one byte too many ends the process
// instead of going unnoticed.
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int PROT_NONE = 0;
    private const int PROT_READ = 1;
    private const int PROT_WRITE = 2;
    private const int MAP_PRIVATE = 2;
    private const int MAP_ANONYMOUS = 0x20;

    private readonly nuint _length;
    private readonly byte* _start;

    public GuardedMemory(int lengthMax)
    {
        var page = (nuint)Environment.SystemPageSize;
        _length = ((nuint)lengthMax + page - 1) / page * page;
        _start = mmap(null, _length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((nint)_start == -1 || mprotect(_start + _length, page, PROT_NONE) != 0)
            throw new InvalidOperationException($"mmap of {_length} bytes failed");
    }

    /// <summary>So many bytes, right before the page without access.</summary>
    public Span<byte> Take(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((nuint)length, _length);
        // Sound: within the mapping, which lives as long as this object; callers keep no span beyond it.
        return new Span<byte>(_start + _length - length, length);
    }

    public void Dispose() => _ = munmap(_start, _length + (nuint)Environment.SystemPageSize);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nuint length);
}
