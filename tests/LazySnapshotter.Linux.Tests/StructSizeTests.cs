using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux.Tests;

public sealed class StructSizeTests
{
    [Fact]
    public void Structures_have_the_kernels_sizes()
    {
        Assert.Equal(256, Unsafe.SizeOf<Libc.Statx>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.StatxTimestamp>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.TimeSpec>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.ResourceLimit>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.EpollEvent>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.IoVector>());
    }

    [Fact]
    public void Fields_of_statx_stand_where_the_kernel_has_them()
    {
        Assert.Equal(0x1C, Marshal.OffsetOf<Libc.Statx>("Mode").ToInt32());
        Assert.Equal(0x20, Marshal.OffsetOf<Libc.Statx>("Inode").ToInt32());
        Assert.Equal(0x40, Marshal.OffsetOf<Libc.Statx>("Accessed").ToInt32());
        Assert.Equal(0x80, Marshal.OffsetOf<Libc.Statx>("DeviceMajor").ToInt32());
    }
}
