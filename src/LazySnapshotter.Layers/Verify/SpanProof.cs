using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Verify;

// Proves spans on a thread of its own ("verify"), beside the sequential pass: the digest of the compressed bytes, and
// that decoding them from the checkpoint, exactly as a reader does, gives what the straight pass gave. A few spans wait
// at most; the pass waits for this thread, never the other way round.
internal sealed class SpanProof : IDisposable
{
    private const int WaitingMax = 4;

    private readonly LayerIndex _index;
    private readonly SpanDecoder _decoder;
    private readonly SpanHistory _history = SpanHistory.Rent();
    private readonly BlockingCollection<SpanPiece> _pieces = new(WaitingMax);
    private readonly Thread _thread;
    private Exception? _failure;

    public SpanProof(LayerIndex index)
    {
        _index = index;
        _decoder = new SpanDecoder(index);
        _thread = new Thread(Run) { Name = "verify", IsBackground = true };
        _thread.Start();
    }

    public CheckTally Digests { get; } = new("span digests");

    public CheckTally Contents { get; } = new("span contents");

    public void Add(SpanPiece piece) => _pieces.Add(piece);

    /// <summary>Waits for the spans that were added; the tallies are the caller's from then on.</summary>
    public void Complete()
    {
        _pieces.CompleteAdding();
        _thread.Join();
        if (_failure is not null)
            throw new InvalidOperationException("comparing spans failed", _failure);
    }

    public void Dispose()
    {
        if (!_pieces.IsAddingCompleted)
            _pieces.CompleteAdding();
        _thread.Join();
        _pieces.Dispose();
        _history.Dispose();
    }

    private void Run()
    {
        foreach (var piece in _pieces.GetConsumingEnumerable())
        {
            try
            {
                if (_failure is null)
                    Prove(piece);
            }
            catch (Exception exception)
            {
                _failure = exception; // told by Complete; the pass must not wait for a thread that is gone
            }

            piece.Return();
        }
    }

    private void Prove(SpanPiece piece)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(piece.CompressedBytes, digest);
        var isDigest = _index.Spans.DigestOf(piece.Span.Id).SequenceEqual(digest);
        var found = isDigest ? "" : Convert.ToHexStringLower(digest);
        Digests.Expect(isDigest, () => Difference(
            piece.Span, $"its digest is {found}, the index says {Convert.ToHexStringLower(_index.Spans.DigestOf(piece.Span.Id))}"));

        var decoded = ArrayPool<byte>.Shared.Rent((int)Math.Max(1, piece.Span.UncompressedLength));
        try
        {
            ProveContent(piece, decoded.AsSpan(0, (int)piece.Span.UncompressedLength));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(decoded);
        }
    }

    private void ProveContent(SpanPiece piece, Span<byte> decoded)
    {
        Contents.Compare();
        if (_index.Spans.IsContinued(piece.Span.Id) && _history.Next != piece.Span.Id)
        {
            Contents.Differ(Difference(piece.Span, $"it goes on from span {piece.Span.Id.Value - 1}, which does not inflate"));
            return;
        }

        try
        {
            _decoder.Decode(piece.Span.Id, _history, piece.CompressedBytes, decoded);
        }
        catch (InvalidDataException exception)
        {
            Contents.Differ(Difference(piece.Span, exception.Message));
            return;
        }

        var same = decoded.CommonPrefixLength(piece.UncompressedBytes);
        if (same == decoded.Length)
            return;
        Contents.Differ(Difference(piece.Span, $"from its checkpoint, uncompressed offset {piece.Span.UncompressedOffset + same} " +
            $"is {decoded[same]:x2}, the layer has {piece.UncompressedBytes[same]:x2}") with
        {
            UncompressedOffset = piece.Span.UncompressedOffset + same,
        });
    }

    private static IndexDifference Difference(in LayerSpan span, string what) =>
        new($"span {span.Id} ({span.CompressedLength} bytes at compressed offset {span.CompressedOffset}, {span.UncompressedLength} at " +
            $"uncompressed offset {span.UncompressedOffset}): {what}")
        {
            Span = span.Id.Value,
            CompressedOffset = span.CompressedOffset,
            UncompressedOffset = span.UncompressedOffset,
        };
}
