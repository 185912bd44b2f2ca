using System.Security.Cryptography;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// A whole blob that passes from its first byte to its last while its spans are stored one by one: the hash that tells at
// the end whether all of it was the layer, and the few bytes that belong to no span (a gzip header). They are
// stored as they pass, unchecked; nobody reads them before the layer is complete, which takes the digest.
internal sealed class PassingBlob(LayerBlob blob) : IDisposable
{
    private readonly IncrementalHash _hash = blob.Layer.CreateHash();
    private readonly long _headEnd = blob.Spans[new SpanId(0)].CompressedOffset;
    private long _position;
    private bool _isHeadStored = true;
    private bool _isContradicted;

    /// <summary>The next bytes of the blob.</summary>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        if (_position < _headEnd)
            _isHeadStored &= blob.TryStoreHead(_position, bytes[..(int)Math.Min(bytes.Length, _headEnd - _position)]);
        _position += bytes.Length;
    }

    /// <summary>A span that passed is not what its digest says: what is stored by that digest is not the layer.</summary>
    public void Contradict() => _isContradicted = true;

    /// <summary>All of it has passed, and it is what the layer's digest says. To be asked once.</summary>
    public bool IsLayer(out string actual)
    {
        var hash = _hash.GetHashAndReset();
        actual = $"{_position} bytes of {blob.Layer.Algorithm} {Convert.ToHexStringLower(hash)}";
        return _position == blob.Spans.CompressedLength && blob.Layer.Matches(hash);
    }

    /// <summary>Makes the layer complete if every byte of it was stored. After <see cref="IsLayer"/> said so.</summary>
    public bool Keep() => _isHeadStored && !_isContradicted && blob.TryComplete();

    public void Dispose() => _hash.Dispose();
}
