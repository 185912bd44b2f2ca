using System.Buffers;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Blobs.Store;

// One layer's compressed bytes on this node, seen through one span table: spans are here and verified, or absent (D4).
// What leaves this class was checked against the span's digest in this process; what fails the check is absent again.
// Safe for concurrent use. Open it with BlobStore.Open; disposing closes the files, what is stored stays.
public sealed class LayerBlob : IDisposable
{
    private readonly BlobStore _store;
    private readonly SpanStates _states;

    internal LayerBlob(BlobStore store, BlobFile file, Digest layer, string indexId, SpanTable spans)
    {
        _store = store;
        File = file;
        Layer = layer;
        IndexId = indexId;
        Spans = spans;
        _states = SpanStates.Load(file.Paths.Spans(indexId), spans.Count, store.Logger);
        if (file.IsComplete)
            _states.SetAllPresent();
    }

    internal BlobFile File { get; }

    public Digest Layer { get; }

    public string IndexId { get; }

    public SpanTable Spans { get; }

    /// <summary>How many spans are here.</summary>
    public int PresentCount => _states.PresentCount;

    /// <summary>Every span is here: reading needs no network.</summary>
    public bool IsFull => PresentCount == Spans.Count;

    /// <summary>The file is the whole blob, checked against the layer's digest.</summary>
    public bool IsComplete => File.IsComplete;

    /// <summary>
    /// Told of a span where the span table, or the index it is from, and the blob contradict each other: one of them is
    /// wrong, which one is not known here.
    /// </summary>
    public event Action<SpanId>? Mismatched;

    internal void NoteMismatch(SpanId span) => Mismatched?.Invoke(span);

    internal LayerReadStatistics Statistics => _store.Statistics;

    internal ILogger Logger => _store.Logger;

    /// <summary>False after the disk refused bytes, until it takes some again.</summary>
    internal bool CanStore => _store.CanStore;

    /// <summary>The span is here, and was checked in this process.</summary>
    internal bool IsVerified(SpanId span) => _states[span.Value] == SpanStates.Verified;

    /// <summary>The span is here, as far as is known without reading it.</summary>
    public bool IsPresent(SpanId span) => _states[span.Value] != SpanStates.Absent;

    /// <summary>Reads a span's compressed bytes; false if it is absent, or turns out to be damaged and therefore absent now.</summary>
    /// <param name="compressed">Exactly the span's compressed length.</param>
    internal bool TryRead(in LayerSpan span, Span<byte> compressed) => TryRead(span, compressed, mustVerify: false);

    /// <summary>Checks a span again, whose bytes made no sense although they were verified once; false if it is absent now.</summary>
    internal bool Recheck(in LayerSpan span)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)span.CompressedLength);
        try
        {
            return TryRead(span, buffer.AsSpan(0, (int)span.CompressedLength), mustVerify: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Stores a span's verified bytes; false if the disk does not take them. Never throws for the disk's sake.</summary>
    internal bool TryStore(in LayerSpan span, ReadOnlySpan<byte> compressed)
    {
        try
        {
            if (!File.TryWrite(span.CompressedOffset, compressed))
                return false;
            _states.SetVerified(span.Id.Value);
            _store.NoteStored();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // With the bytes in place but not the bit, the span is present for as long as this process lives.
            _store.NoteRefused(File.Paths.Sparse(IndexId), e);
            return IsPresent(span.Id);
        }
    }

    /// <summary>Stores bytes that come before the first span and that no digest covers but the layer's.</summary>
    internal bool TryStoreHead(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return File.TryWrite(offset, bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _store.NoteRefused(File.Paths.Sparse(IndexId), e);
            return false;
        }
    }

    /// <summary>
    /// Every byte of the layer was stored and its digest found right: the sparse file becomes the whole blob. False if it
    /// cannot (logged), or if a span is missing. Waits for the disk.
    /// </summary>
    internal bool TryComplete() => IsFull && _store.TryComplete(this);

    /// <summary>Compares bytes with the span's digest.</summary>
    internal bool Matches(SpanId span, ReadOnlySpan<byte> compressed)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(compressed, hash);
        return hash.SequenceEqual(Spans.DigestOf(span));
    }

    /// <summary>Compares bytes with the span's digest, and counts.</summary>
    internal bool Verify(SpanId span, ReadOnlySpan<byte> compressed)
    {
        if (!Matches(span, compressed))
        {
            Statistics.Count(ReadCount.VerificationFailures);
            return false;
        }

        Statistics.Count(ReadCount.SpansVerified);
        return true;
    }

    public void Dispose()
    {
        _states.Dispose();
        _store.Close(this);
    }

    internal void BecomeComplete(bool isSameFile) => _states.SetAllPresent(isSameFile);

    internal void BecomeRemoved() => _states.StopPersisting();

    private bool TryRead(in LayerSpan span, Span<byte> compressed, bool mustVerify)
    {
        var state = _states[span.Id.Value];
        if (state == SpanStates.Absent)
            return false;
        try
        {
            if (!File.TryRead(span.CompressedOffset, compressed))
                return Distrust(span, state, "the file ends before it");
        }
        catch (IOException e)
        {
            return Distrust(span, state, e.Message);
        }

        if (state == SpanStates.Verified && !mustVerify)
            return true;
        if (!Verify(span.Id, compressed))
            return Distrust(span, state, "its digest is wrong");
        _states.Confirm(span.Id.Value);
        return true;
    }

    private bool Distrust(in LayerSpan span, byte stateRead, string reason)
    {
        if (_states.TrySetAbsent(span.Id.Value, stateRead))
            BlobsLog.StoredSpanDamaged(Logger, Layer, span.Id, span.CompressedOffset, span.CompressedLength, reason);
        return false;
    }
}
