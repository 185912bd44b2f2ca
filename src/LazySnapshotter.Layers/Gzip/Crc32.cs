namespace LazySnapshotter.Layers.Gzip;

// The CRC-32 of gzip (RFC 1952, section 8), computed by libz.
internal static class Crc32
{
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return crc; // crc32 takes a null pointer as "give me the initial value"

        // Sound: the span is pinned for the call and its length is the length passed.
        unsafe
        {
            fixed (byte* pointer = bytes)
                return (uint)Zlib.crc32(crc, pointer, (uint)bytes.Length);
        }
    }
}
