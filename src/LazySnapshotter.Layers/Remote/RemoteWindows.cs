using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Remote;

// The windows of an index that is still on its way. The request that brought the front goes on behind it, in order, into a
// temporary file; windows are checked as they pass, and where the transfer has come to is the *frontier*. A read that
// needs a window now waits for the frontier if that is near, and else fetches the window with a request of its own. When
// all has come and the footer is right, the file gets its final name. Until then nothing on disk looks like an index.
//
// A transfer that failed is started again by the next who needs it, from where it stopped; the failure is not remembered.
// _gate guards the running transfer and the requests; who waits for the frontier is told by a task that is replaced
// whenever the frontier moves.
internal sealed class RemoteWindows : IWindowSource
{
    /// <summary>As much as a request of one's own takes to get going, on a fast link.</summary>
    private const int NearLength = 256 * 1024;

    /// <summary>A request of one's own brings the windows behind the wanted one as well, up to this.</summary>
    private const int AheadLength = 32 * 1024;

    private const int BufferLength = 64 * 1024;

    /// <summary>A transfer that brings nothing for so long is not waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly IBlobReader _index;
    private readonly LayerIndexWindows _windows;
    private readonly LayerIndexHeader _header;
    private readonly Action<string> _damaged;
    private readonly CancellationTokenSource _lifetime = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Task> _requests = [];
    private readonly WindowIntake _intake;
    private readonly bool[] _isEarly; // fetched by itself, ahead of the frontier
    private readonly string _path;
    private Task? _transfer;
    private TaskCompletionSource _moved = NewSignal();
    private LocalWindows? _local; // once all of it is here

    /// <param name="rest">The body that brought the front, behind it; closed from here.</param>
    public RemoteWindows(IBlobReader index, FetchedFront front, Stream rest, string path, Action<string> damaged)
    {
        _index = index;
        _header = front.Content.Header;
        _windows = front.Content.Windows;
        _damaged = damaged;
        _path = path;
        _isEarly = new bool[_windows.Count];
        _intake = new WindowIntake(_header, _windows, front.Bytes.Span, path);
        _transfer = Task.Run(() => TransferAsync(rest, _lifetime.Token));
    }

    public bool Has(SpanId span) =>
        _windows.LengthOf(span) == 0 || _windows.EndOf(span) <= _intake.Frontier || Volatile.Read(ref _isEarly[span.Value]);

    public async ValueTask FetchAsync(SpanId span, CancellationToken cancellationToken)
    {
        var isPatient = true;
        while (!Has(span))
        {
            Task task;
            lock (_gate)
            {
                // The signal first: a frontier that moves now is seen by the next test.
                var moved = _moved.Task;
                if (Has(span))
                    return;
                isPatient &= EnsureTransfer() && _windows.EndOf(span) - _intake.Frontier <= NearLength;
                task = isPatient ? moved : Request(span);
            }

            if (!isPatient)
                await task.WaitAsync(cancellationToken);
            else if (await Task.WhenAny(task, Task.Delay(Patience, cancellationToken)) != task)
                isPatient = false;
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public async Task FetchAllAsync(CancellationToken cancellationToken)
    {
        Task transfer;
        lock (_gate)
        {
            EnsureTransfer();
            transfer = _transfer!;
        }

        await transfer.WaitAsync(cancellationToken);
        if (Volatile.Read(ref _local) is null)
            throw new IOException($"index {_index.Digest}: {_intake.Failure}");
    }

    public byte[] Read(SpanId span)
    {
        if (_windows.LengthOf(span) == 0)
            return [];
        if (Volatile.Read(ref _local) is { } local)
            return local.Read(span);
        return _intake.Read(span);
    }

    public void CheckFile()
    {
        if (Volatile.Read(ref _local) is not { } local)
            throw new InvalidOperationException("the index is still on its way");
        local.CheckFile();
    }

    public void Dispose()
    {
        _lifetime.Cancel();
        _intake.Dispose();
        _local?.Dispose();
    }

    /// <summary>Starts the transfer again if it has failed. Under the gate; false if it had to be started.</summary>
    private bool EnsureTransfer()
    {
        ObjectDisposedException.ThrowIf(_lifetime.IsCancellationRequested, this);
        if (_transfer is { IsCompleted: false } || _local is not null)
            return true;
        _transfer = Task.Run(() => TransferAsync(null, _lifetime.Token));
        return false;
    }

    private async Task TransferAsync(Stream? open, CancellationToken cancellationToken)
    {
        try
        {
            _intake.Restart();
            await using var stream = open ?? await _index.OpenExactRangeAsync(
                _intake.Position, _header.FileLength - _intake.Position, ReadPriority.Predicted(), cancellationToken);
            var buffer = new byte[BufferLength];
            while (!_intake.IsComplete)
            {
                var length = await stream.ReadAsync(buffer, cancellationToken);
                if (length == 0)
                    throw new EndOfStreamException($"the source ended at byte {_intake.Position}");
                Take(buffer.AsSpan(0, length));
            }

            var file = _intake.Commit();
            Volatile.Write(ref _local, new LocalWindows(_path, file, _header, _windows) { Damaged = _damaged });
            if (cancellationToken.IsCancellationRequested)
                _local.Dispose(); // it came too late for Dispose
        }
        catch (Exception exception)
        {
            // Said to whoever asks for all of it; who waits for a window asks for it by itself.
            _intake.Failure = exception.Message;
        }
        finally
        {
            SignalMove();
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        var before = _intake.Frontier;
        _intake.Take(bytes);
        if (_intake.Frontier != before)
            SignalMove();
    }

    /// <summary>The running request for a window, or a new one. Under the gate.</summary>
    private Task Request(SpanId span)
    {
        if (_requests.TryGetValue(span.Value, out var running))
            return running;

        var last = span.Value;
        while (last + 1 < _windows.Count && !Has(new SpanId(last + 1)) && !_requests.ContainsKey(last + 1)
            && _windows.EndOf(new SpanId(last + 1)) - _windows.OffsetOf(span) <= AheadLength)
        {
            last++;
        }

        var request = Task.Run(() => RequestAsync(span.Value, last, _lifetime.Token));
        for (var i = span.Value; i <= last; i++)
            _requests[i] = request;
        return request;
    }

    private async Task RequestAsync(int first, int last, CancellationToken cancellationToken)
    {
        try
        {
            var offset = _windows.OffsetOf(new SpanId(first));
            var bytes = new byte[_windows.EndOf(new SpanId(last)) - offset];
            await using var stream = await _index.OpenExactRangeAsync(offset, bytes.Length, ReadPriority.Demanded(), cancellationToken);
            await stream.ReadExactlyAsync(bytes, cancellationToken);
            for (var i = first; i <= last; i++)
            {
                var span = new SpanId(i);
                if (_windows.LengthOf(span) == 0)
                    continue;
                _intake.TakeEarly(span, bytes.AsSpan((int)(_windows.OffsetOf(span) - offset), _windows.LengthOf(span)));
                Volatile.Write(ref _isEarly[i], true);
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            throw new IOException($"index {_index.Digest}: {exception.Message}", exception);
        }
        finally
        {
            lock (_gate)
            {
                for (var i = first; i <= last; i++)
                    _requests.Remove(i);
            }
        }
    }

    private void SignalMove()
    {
        TaskCompletionSource moved;
        lock (_gate)
        {
            moved = _moved;
            _moved = NewSignal();
        }

        moved.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
