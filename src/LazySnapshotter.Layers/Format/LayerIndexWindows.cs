using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Format;

// Where the stored windows of an index file lie, and what their checksums are. Immutable.
internal sealed class LayerIndexWindows
{
    private readonly long[] _offsets;
    private readonly int[] _checksumNumbers;
    private readonly byte[] _checksums;

    /// <param name="checksums">Of the windows that are not empty, one after the other.</param>
    /// <exception cref="InvalidDataException">The windows do not fill their part of the file.</exception>
    public LayerIndexWindows(int[] lengths, byte[] checksums, long start, long totalLength)
    {
        _offsets = new long[lengths.Length + 1];
        _checksumNumbers = new int[lengths.Length];
        _checksums = checksums;
        _offsets[0] = start;
        var number = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            _offsets[i + 1] = _offsets[i] + lengths[i];
            _checksumNumbers[i] = lengths[i] > 0 ? number++ : -1;
        }

        if (_offsets[^1] - start != totalLength)
            throw new InvalidDataException($"index, span section: windows of {_offsets[^1] - start} bytes in {totalLength}");
    }

    /// <summary>How many spans there are; not all have windows.</summary>
    public int Count => _checksumNumbers.Length;

    /// <summary>Where in the file a span's stored window starts.</summary>
    public long OffsetOf(SpanId span) => _offsets[span.Value];

    public long EndOf(SpanId span) => _offsets[span.Value + 1];

    /// <summary>Stored length; 0 where there is no window.</summary>
    public int LengthOf(SpanId span) => (int)(_offsets[span.Value + 1] - _offsets[span.Value]);

    /// <exception cref="InvalidDataException">These are not the window's bytes; the message names the span.</exception>
    public void Check(SpanId span, ReadOnlySpan<byte> stored)
    {
        Span<byte> checksum = stackalloc byte[WindowSpool.ChecksumLength];
        WindowSpool.ComputeChecksum(stored, checksum);
        if (!checksum.SequenceEqual(
            _checksums.AsSpan(_checksumNumbers[span.Value] * WindowSpool.ChecksumLength, WindowSpool.ChecksumLength)))
            throw new InvalidDataException($"index, window of span {span}: the checksum does not match");
    }
}
