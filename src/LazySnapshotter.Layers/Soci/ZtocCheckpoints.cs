using System.Buffers.Binary;
using System.Diagnostics;
using LazySnapshotter.Layers.Format;

namespace LazySnapshotter.Layers.Soci;

// Collects the checkpoints of a gzip layer while it streams by, where soci's builder (zlib's examples/zran.c) puts them:
// behind the first gzip header, at every block that starts before any output, and then at each block that starts more than
// a span behind the last checkpoint. A window is the 32 KiB of output before it, across members, with zeros where
// there was none; its bytes lie as they are in the zTOC:
//
//   have i32, span size i64, then for each checkpoint: in i64 (first whole byte), out i64, bits u8 (of byte in - 1), window
internal sealed class ZtocCheckpoints
{
    public const int WindowLength = 32 * 1024;
    public const int HeaderLength = sizeof(int) + sizeof(long);
    public const int CheckpointLength = sizeof(long) + sizeof(long) + sizeof(byte) + WindowLength;

    private readonly long _spanLength;
    private readonly List<byte[]> _checkpoints = [];
    private readonly byte[] _window = new byte[WindowLength];
    private int _windowEnd;
    private long _outputLength;
    private long _lastOffset;

    public ZtocCheckpoints(long spanLength) => _spanLength = spanLength;

    public int Count => _checkpoints.Count;

    public void Append(ReadOnlySpan<byte> uncompressed)
    {
        _outputLength += uncompressed.Length;
        if (uncompressed.Length > WindowLength)
            uncompressed = uncompressed[^WindowLength..];
        var first = uncompressed[..Math.Min(uncompressed.Length, WindowLength - _windowEnd)];
        var second = uncompressed[first.Length..];
        first.CopyTo(_window.AsSpan(_windowEnd));
        second.CopyTo(_window);
        _windowEnd = (_windowEnd + uncompressed.Length) % WindowLength;
    }

    /// <summary>A deflate block starts; says whether there is a checkpoint now.</summary>
    public bool Offer(long startBit)
    {
        if (_outputLength > 0 && _outputLength - _lastOffset <= _spanLength)
            return false;
        if (_checkpoints.Count == LayerIndexLimits.SpanCountMax || (_checkpoints.Count + 1L) * CheckpointLength > ZtocLimits.LengthMax)
            throw new UnsupportedLayerException(
                $"the layer has more spans of {_spanLength} bytes than a zTOC of {ZtocLimits.LengthMax} bytes can hold");

        var checkpoint = new byte[CheckpointLength];
        BinaryPrimitives.WriteInt64LittleEndian(checkpoint, (startBit + 7) / 8);
        BinaryPrimitives.WriteInt64LittleEndian(checkpoint.AsSpan(sizeof(long)), _outputLength);
        checkpoint[2 * sizeof(long)] = (byte)(-startBit & 7);
        var window = checkpoint.AsSpan(CheckpointLength - WindowLength);
        _window.AsSpan(_windowEnd).CopyTo(window);
        _window.AsSpan(0, _windowEnd).CopyTo(window[(WindowLength - _windowEnd)..]);
        _checkpoints.Add(checkpoint);
        _lastOffset = _outputLength;
        return true;
    }

    public byte[] ToBytes()
    {
        Debug.Assert(_checkpoints.Count > 0, "a gzip stream that is whole has a first block");
        var bytes = new byte[checked(HeaderLength + _checkpoints.Count * CheckpointLength)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, _checkpoints.Count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(sizeof(int)), _spanLength);
        for (var i = 0; i < _checkpoints.Count; i++)
            _checkpoints[i].CopyTo(bytes, HeaderLength + i * CheckpointLength);
        return bytes;
    }
}
