using LazySnapshotter.Layers.Spans;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Index;

// Where the stored windows of an index file lie, and what their checksums are. Windows are read when a read needs one.
internal sealed class LayerIndexWindows
{
    private readonly long[] _offsets;
    private readonly int[] _checksumNumbers;
    private readonly byte[] _checksums;

    /// <param name="checksums">Of the windows that are not empty, one after the other.</param>
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

    /// <exception cref="InvalidDataException">The window is damaged; the message names the span.</exception>
    public byte[] Load(SafeFileHandle file, SpanId span)
    {
        var stored = ReadStored(file, span);
        if (stored.Length == 0)
            return [];

        try
        {
            var window = new byte[WindowEncoding.WindowLengthMax];
            WindowEncoding.Decode(stored, window);
            return window;
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"index, window of span {span}: {exception.Message}", exception);
        }
    }

    /// <summary>The window as it is stored, its checksum compared; empty where there is none.</summary>
    /// <exception cref="InvalidDataException">The checksum does not match; the message names the span.</exception>
    public byte[] ReadStored(SafeFileHandle file, SpanId span)
    {
        var i = span.Value;
        if (_checksumNumbers[i] < 0)
            return [];

        var stored = new byte[_offsets[i + 1] - _offsets[i]];
        LayerIndexReader.ReadAt(file, _offsets[i], stored, $"window of span {span}");
        Span<byte> checksum = stackalloc byte[WindowSpool.ChecksumLength];
        WindowSpool.ComputeChecksum(stored, checksum);
        if (!checksum.SequenceEqual(_checksums.AsSpan(_checksumNumbers[i] * WindowSpool.ChecksumLength, WindowSpool.ChecksumLength)))
            throw new InvalidDataException($"index, window of span {span}: the checksum does not match");
        return stored;
    }
}
