using System.Buffers;
using System.Numerics;
using LazySnapshotter.Codecs.Deflate;
using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.Layers.Columns;

namespace LazySnapshotter.Layers.Format;

// How a checkpoint's window is stored: only the bytes that the blocks behind it refer to, a tenth of the 32 KiB on
// average. Runs of referenced bytes as (gap, length), then the bytes of all runs, deflated together; nothing at all
// where nothing is referenced. Positions count as in a window of 32 KiB that ends at the checkpoint, so that a window
// means the same whether or not there was that much output before it (docs/FORMATS.md, "Windows").
internal static class WindowEncoding
{
    public const int WindowLengthMax = Inflater.WindowLengthMax;

    // Each run has two numbers of at most three bytes, and each but the first follows a byte that is in none.
    private const int UnpackedLengthMax = WindowLengthMax + 6 * (WindowLengthMax / 2) + 3;

    /// <summary>Words of a bitmap with one bit for each byte of a window.</summary>
    public const int ReferencedWords = WindowLengthMax / 64;

    /// <summary>Every byte of a window, for who does not know which ones are referenced.</summary>
    public static ReadOnlySpan<ulong> AllReferenced => All;

    private static readonly ulong[] All = Enumerable.Repeat(ulong.MaxValue, ReferencedWords).ToArray();

    /// <param name="window">The output before the checkpoint, at most 32 KiB.</param>
    /// <param name="referenced">Bit i stands for byte i of <paramref name="window"/>.</param>
    /// <returns>Empty if nothing is referenced.</returns>
    public static byte[] Encode(ReadOnlySpan<byte> window, ReadOnlySpan<ulong> referenced)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window.Length, WindowLengthMax);
        var runs = new ColumnWriter();
        var bytes = new ColumnWriter();
        var runCount = 0;
        var end = window.Length - WindowLengthMax; // of the run before, counted in the window at hand
        for (var position = FindBit(referenced, 0, set: true, window.Length); position < window.Length;)
        {
            var runEnd = FindBit(referenced, position, set: false, window.Length);
            runs.Number(position - end);
            runs.Number(runEnd - position);
            bytes.Bytes(window[position..runEnd]);
            runCount++;
            end = runEnd;
            position = FindBit(referenced, runEnd, set: true, window.Length);
        }

        if (runCount == 0)
            return [];
        var columns = new ColumnWriter();
        columns.Number(runCount);
        columns.Bytes(runs.Written);
        columns.Bytes(bytes.Written);
        return DeflateEncoder.Encode(columns.Written);
    }

    /// <summary>Fills a window of 32 KiB or less that ends at the checkpoint; what is not referenced is 0.</summary>
    /// <exception cref="InvalidDataException">Not a window, or one that reaches farther back than <paramref name="window"/>.</exception>
    public static void Decode(ReadOnlySpan<byte> stored, Span<byte> window)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window.Length, WindowLengthMax);
        window.Clear();
        if (stored.IsEmpty)
            return;

        var buffer = ArrayPool<byte>.Shared.Rent(UnpackedLengthMax + 1);
        try
        {
            var length = PackedPart.Unpack(stored, buffer.AsSpan(0, UnpackedLengthMax + 1), "window");
            Place(buffer.AsSpan(0, length), window);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Place(ReadOnlySpan<byte> unpacked, Span<byte> window)
    {
        var runs = new ColumnReader(unpacked, "window");
        var runCount = runs.Count(WindowLengthMax / 2, "run count");
        var bytes = runs;
        for (var i = 0; i < 2 * runCount; i++)
            bytes.Number(WindowLengthMax, "run");

        var end = window.Length - WindowLengthMax;
        for (var i = 0; i < runCount; i++)
        {
            var start = end + (int)runs.Number(WindowLengthMax, "gap");
            var length = (int)runs.Number(WindowLengthMax, "run length");
            if (start < 0 || length == 0 || length > window.Length - start)
                throw runs.Bad($"a run of {length} bytes at {start} leaves the window of {window.Length} bytes");
            bytes.Bytes(length, "run").CopyTo(window[start..]);
            end = start + length;
        }

        if (!bytes.IsEmpty)
            throw bytes.Bad("bytes are left over");
    }

    /// <summary>The first bit from a position on that is set, or is not; <paramref name="limit"/> if there is none before it.</summary>
    private static int FindBit(ReadOnlySpan<ulong> bits, int position, bool set, int limit)
    {
        while (position < limit)
        {
            var word = (set ? bits[position / 64] : ~bits[position / 64]) >> position;
            if (word != 0)
                return Math.Min(limit, position + BitOperations.TrailingZeroCount(word));
            position = (position | 63) + 1;
        }

        return limit;
    }
}
