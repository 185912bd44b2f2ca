using System.Buffers;
using System.Diagnostics;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse;

// One READ between its request and its reply. Objects (with their cancellation source) are used again and again, so
// that a read whose bytes are here leaves no garbage; ReadTracker owns their life.
internal sealed class PendingRead : IDisposable
{
    private CancellationTokenSource _cancellation = new();
    private long _startTimestamp;
    private int _answered;

    public ulong Unique { get; private set; }

    /// <summary>The thread that waits, as numbered in our pid namespace; 0 when it cannot be seen from there.</summary>
    public uint ThreadId { get; private set; }

    public NodeId Node { get; private set; }

    public long Offset { get; private set; }

    public int Length { get; private set; }

    public byte[] Buffer { get; private set; } = [];

    /// <summary>
    /// Somebody else holds this object and may cancel it: it must not be used for another read. Guarded by the tracker's lock.
    /// </summary>
    public bool IsInterrupted { get; set; }

    public CancellationToken Token => _cancellation.Token;

    public TimeSpan Age => Stopwatch.GetElapsedTime(Volatile.Read(ref _startTimestamp));

    public bool IsAnswered => Volatile.Read(ref _answered) != 0;

    public void Begin(in FuseInHeader header, long offset, int length)
    {
        Unique = header.Unique;
        ThreadId = header.Pid;
        Node = new NodeId(header.NodeId);
        Offset = offset;
        Length = length;
        Buffer = ArrayPool<byte>.Shared.Rent(length);
        Volatile.Write(ref _startTimestamp, Stopwatch.GetTimestamp());
        Volatile.Write(ref _answered, 0);
    }

    /// <summary>True for one caller: it answers.</summary>
    public bool TryAnswer() => Interlocked.Exchange(ref _answered, 1) == 0;

    public void Cancel() => _cancellation.Cancel();

    /// <summary>Gives the buffer back: the filesystem has let go of it.</summary>
    public void End()
    {
        ArrayPool<byte>.Shared.Return(Buffer);
        Buffer = [];
        if (IsInterrupted || _cancellation.TryReset())
            return;

        _cancellation.Dispose();
        _cancellation = new CancellationTokenSource();
    }

    public void Dispose() => _cancellation.Dispose();
}
