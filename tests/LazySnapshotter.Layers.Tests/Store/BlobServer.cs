using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Store;

// What is going to happen to one transfer. Offsets count from its first byte.
internal sealed record Fault
{
    public static readonly Fault None = new();

    public string? OpenError { get; init; }

    public int ChunkBytes { get; init; } = int.MaxValue;

    public TimeSpan ChunkDelay { get; init; }

    public int? EndAfter { get; init; }

    public int? ErrorAfter { get; init; }

    /// <summary>The error is one the source says is final.</summary>
    public bool IsFinal { get; init; }

    public int? CorruptAt { get; init; }

    public int ExtraBytes { get; init; }

    public int? StallAfter { get; init; }

    /// <summary>Ends the stall; without it, only cancellation does.</summary>
    public Task Release { get; init; } = Task.Delay(Timeout.Infinite);

    /// <summary>Until then there is no answer at all.</summary>
    public Task Answer { get; init; } = Task.CompletedTask;

    /// <summary>The stall does not heed cancellation.</summary>
    public bool IsDeaf { get; init; }

    /// <summary>The whole blob is sent, whatever range was asked for; offsets count from its first byte.</summary>
    public bool IgnoresRange { get; init; }
}

// A blob server in memory: serves ranges of one blob, counts what it sends, and misbehaves as told, one fault per
// request in order, then the standing fault.
internal sealed class BlobServer(byte[] blob, Digest digest) : IBlobReader
{
    private readonly Lock _gate = new();
    private readonly Queue<Fault> _faults = [];
    private readonly List<(long Offset, long Length)> _requests = [];
    private long _bytesSent;
    private int _cancelled;

    public Digest Digest => digest;

    public Fault Standing { get; set; } = Fault.None;

    public bool? GivesRanges { get; set; } = true;

    /// <summary>The priorities that requests came with, in order.</summary>
    public List<ReadPriority> Priorities { get; } = [];

    public IReadOnlyList<(long Offset, long Length)> Requests
    {
        get
        {
            lock (_gate)
                return [.. _requests];
        }
    }

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public int Cancelled => Volatile.Read(ref _cancelled);

    public BlobServer Then(Fault fault)
    {
        _faults.Enqueue(fault);
        return this;
    }

    public async Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) =>
        (await OpenRangeAsync(0, blob.Length, priority, cancellationToken)).Body;

    public async Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken)
    {
        Fault fault;
        lock (_gate)
        {
            _requests.Add((offset, length));
            Priorities.Add(priority);
            fault = _faults.TryDequeue(out var next) ? next : Standing;
        }

        await Task.Yield();
        await fault.Answer.WaitAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (fault.OpenError is not null)
            throw new IOException(fault.OpenError);
        if (offset < 0 || length <= 0 || offset + length > blob.Length)
            throw new IOException($"416: {offset}+{length} of {blob.Length}");
        if (fault.IgnoresRange)
            (offset, length) = (0, blob.Length);
        if (offset > 0 || length < blob.Length)
            GivesRanges ??= true;
        else if (fault.IgnoresRange)
            GivesRanges = false;
        var content = new byte[length + fault.ExtraBytes];
        blob.AsSpan((int)offset, (int)length).CopyTo(content);
        if (fault.CorruptAt is { } at)
            content[at] ^= 0x10;
        return new BlobRange(new Transfer(this, content, fault), offset, offset + length);
    }

    private sealed class FinalException(string message) : IOException(message), ISourceFailure
    {
        public bool IsFinal => true;
    }

    private sealed class Transfer(BlobServer server, byte[] content, Fault fault) : ForwardStream
    {
        private int _position;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                if (fault.ChunkDelay > TimeSpan.Zero)
                    await Task.Delay(fault.ChunkDelay, cancellationToken);
                if (_position >= fault.StallAfter)
                    await fault.Release.WaitAsync(fault.IsDeaf ? CancellationToken.None : cancellationToken);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref server._cancelled);
                throw;
            }

            if (_position >= fault.ErrorAfter)
                throw fault.IsFinal ? new FinalException("broke off after 5 resumptions") : new IOException("connection reset by peer");
            var limit = Math.Min(content.Length, fault.EndAfter ?? int.MaxValue);
            foreach (var stop in (int?[])[fault.StallAfter, fault.ErrorAfter])
            {
                if (stop > _position)
                    limit = Math.Min(limit, stop.Value);
            }

            var count = Math.Min(Math.Min(buffer.Length, fault.ChunkBytes), Math.Max(0, limit - _position));
            content.AsMemory(_position, count).CopyTo(buffer);
            _position += count;
            Interlocked.Add(ref server._bytesSent, count);
            return count;
        }
    }
}
