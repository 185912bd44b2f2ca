using System.Runtime.InteropServices;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Memory with a page before it and a page behind it that cannot be touched: whoever reads or writes one byte outside ends the
// process then and there.
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int PageLength = 4096;
    private const int PROT_READ_WRITE = 3;
    private const int MAP_PRIVATE_ANONYMOUS = 0x22;

    private readonly byte* _mapping;
    private readonly int _length;

    /// <param name="length">Whole pages.</param>
    public GuardedMemory(int length)
    {
        Assert.Equal(0, length % PageLength);
        _length = length;
        _mapping = (byte*)mmap(0, (nuint)(length + 2 * PageLength), 0, MAP_PRIVATE_ANONYMOUS, -1, 0);
        Assert.NotEqual(-1, (nint)_mapping);
        Assert.Equal(0, mprotect((nint)(_mapping + PageLength), (nuint)length, PROT_READ_WRITE));
    }

    /// <summary>The first bytes: the guard is right before them.</summary>
    public Span<byte> Head(int length) => new(_mapping + PageLength, Checked(length));

    /// <summary>The last bytes: the guard is right behind them.</summary>
    public Span<byte> Tail(int length) => new(_mapping + PageLength + _length - Checked(length), length);

    public void Dispose() => _ = munmap((nint)_mapping, (nuint)(_length + 2 * PageLength));

    private int Checked(int length) => length <= _length ? length : throw new ArgumentOutOfRangeException(nameof(length));

    [LibraryImport("libc")]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);
}
