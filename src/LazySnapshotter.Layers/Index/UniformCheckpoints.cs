using LazySnapshotter.Layers.Gzip;

namespace LazySnapshotter.Layers.Index;

// Decides at which deflate block boundaries a layer gets checkpoints: at the first one behind every span length of
// output. Of several boundaries with the same output offset (pigz ends its chunks with empty blocks) the last one is
// taken, so a choice is announced only when output goes on: there is never an empty span, and none at the end.
internal sealed class UniformCheckpoints(long spanLength, UniformCheckpoints.ChosenHandler chosen)
{
    /// <param name="window">The output before the checkpoint that may be referred to; valid during the call.</param>
    public delegate void ChosenHandler(long startBit, long uncompressedOffset, ReadOnlySpan<byte> window);

    private readonly byte[] _window = new byte[Inflater.WindowLengthMax];
    private int _windowLength;
    private bool _hasCandidate;
    private long _candidateBit;
    private long _candidateOffset;
    private long _lastOffset;

    /// <summary>No checkpoint will be chosen before this bit any more.</summary>
    public long? CandidateBit => _hasCandidate ? _candidateBit : null;

    /// <summary>A block starts here, as in <see cref="IGzipSink.BlockStart"/>.</summary>
    public void Offer(long startBit, long uncompressedOffset, bool isMemberStart)
    {
        if (isMemberStart)
            _windowLength = 0;
        if (uncompressedOffset - _lastOffset < spanLength)
            return;

        _hasCandidate = true;
        _candidateBit = startBit;
        _candidateOffset = uncompressedOffset;
    }

    /// <summary>There is output behind the last block start offered.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_hasCandidate)
        {
            _hasCandidate = false;
            _lastOffset = _candidateOffset;
            chosen(_candidateBit, _candidateOffset, _window.AsSpan(0, _windowLength));
        }

        var kept = Math.Clamp(_window.Length - bytes.Length, 0, _windowLength);
        _window.AsSpan(_windowLength - kept, kept).CopyTo(_window);
        if (bytes.Length > _window.Length)
            bytes = bytes[^_window.Length..];
        bytes.CopyTo(_window.AsSpan(kept));
        _windowLength = kept + bytes.Length;
    }

    /// <summary>Lets a candidate go for which too many bytes would have to be kept.</summary>
    public void DropCandidate() => _hasCandidate = false;
}
