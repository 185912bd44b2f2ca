using System.IO.Compression;
using LazySnapshotter.Layers.Gzip;

namespace LazySnapshotter.Layers.Index;

// How a checkpoint's window (the up to 32 KiB of output a deflate block may refer back to) is stored: deflated, and
// as nothing at all where a gzip member starts.
internal static class WindowEncoding
{
    public static byte[] Encode(ReadOnlySpan<byte> window)
    {
        if (window.IsEmpty)
            return [];

        using var stored = new MemoryStream();
        using (var deflate = new DeflateStream(stored, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(window);
        return stored.ToArray();
    }

    /// <exception cref="InvalidDataException">Not a window.</exception>
    public static byte[] Decode(byte[] stored)
    {
        if (stored.Length == 0)
            return [];

        using var deflate = new DeflateStream(new MemoryStream(stored), CompressionMode.Decompress);
        var window = new byte[Inflater.WindowLengthMax];
        var length = deflate.ReadAtLeast(window, window.Length, throwOnEndOfStream: false);
        if (length == 0 || (length == window.Length && deflate.ReadByte() >= 0))
            throw new InvalidDataException($"the window is not 1 to {Inflater.WindowLengthMax} bytes long");
        return length == window.Length ? window : window[..length];
    }
}
