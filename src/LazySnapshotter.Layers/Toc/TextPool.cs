using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// The names and link targets of a layer under construction, one behind the other in pieces that never move.
internal sealed class TextPool
{
    private const int ChunkBits = 16;
    private const int ChunkMask = (1 << ChunkBits) - 1;

    private readonly List<byte[]> _chunks = [];
    private int _chunkLength = 1 << ChunkBits; // taken of the last one
    private long _length;

    /// <returns>Where the text is; its length is the caller's to remember.</returns>
    /// <exception cref="InvalidDataException">More text than a layer may have.</exception>
    public int Add(ReadOnlySpan<byte> text)
    {
        _length += text.Length;
        if (_length > TarLimits.NameBytesMax)
            throw new InvalidDataException($"names and link targets longer than {TarLimits.NameBytesMax} bytes together");
        if (_chunkLength + text.Length > 1 << ChunkBits)
        {
            _chunks.Add(new byte[1 << ChunkBits]);
            _chunkLength = 0;
        }

        text.CopyTo(_chunks[^1].AsSpan(_chunkLength));
        var position = (_chunks.Count - 1) << ChunkBits | _chunkLength;
        _chunkLength += text.Length;
        return position;
    }

    public ReadOnlySpan<byte> Get(int position, int length) => _chunks[position >> ChunkBits].AsSpan(position & ChunkMask, length);
}
