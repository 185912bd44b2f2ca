using System.Runtime.InteropServices;

namespace LazySnapshotter.Layers.Gzip;

// `z_stream` of zlib.h on 64-bit Linux (LP64: uLong is 8 bytes). Always lives in native memory, because zlib keeps
// a pointer back to it in its state (inflateStateCheck compares the two).
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ZStream
{
    public const int NativeSize = 112;

    public byte* next_in;
    public uint avail_in;
    public nuint total_in;

    public byte* next_out;
    public uint avail_out;
    public nuint total_out;

    public byte* msg;
    public void* state;

    public void* zalloc;
    public void* zfree;
    public void* opaque;

    /// <summary>After inflate: unused bits of the last byte, +64 in the last block, +128 at a block boundary.</summary>
    public int data_type;

    public nuint adler;
    public nuint reserved;
}
