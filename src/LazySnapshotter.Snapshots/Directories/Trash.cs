using System.Threading.Channels;
using LazySnapshotter.Linux;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Snapshots.Directories;

// Deletes in the background what was moved to the trash, one tree at a time: containerd removes snapshots while it
// holds the lock every pull needs, and a layer can have a hundred thousand files. What is left at the end of the
// process the next one finds.
internal sealed class Trash : IAsyncDisposable
{
    private readonly Channel<string> _paths = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stopped = new();
    private readonly ILogger _logger;
    private readonly Task _worker;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _undone = new(StringComparer.Ordinal);
    private TaskCompletionSource _empty = Completed();

    public Trash(ILogger logger)
    {
        _logger = logger;
        _worker = Task.Run(DeleteAllAsync);
    }

    /// <returns>False if it is waiting here already.</returns>
    public bool Add(string path)
    {
        lock (_gate)
        {
            if (!_undone.Add(path))
                return false;
            if (_undone.Count == 1)
                _empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (!_paths.Writer.TryWrite(path))
            Done(path);
        return true;
    }

    /// <summary>Waits until nothing is left to delete.</summary>
    public Task WaitUntilEmptyAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            return _empty.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _paths.Writer.TryComplete();
        await _stopped.CancelAsync();
        await _worker;
    }

    private async Task DeleteAllAsync()
    {
        await foreach (var path in _paths.Reader.ReadAllAsync())
        {
            try
            {
                if (!_stopped.IsCancellationRequested && Directory.Exists(path))
                    DirectoryTree.Delete(path, _stopped.Token);
            }
            catch (OperationCanceledException)
            {
                // The next start goes on with it.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                SnapshotsLog.DirectoryNotDeleted(_logger, path, e);
            }
            finally
            {
                Done(path);
            }
        }
    }

    private void Done(string path)
    {
        lock (_gate)
        {
            if (_undone.Remove(path) && _undone.Count == 0)
                _empty.TrySetResult();
        }
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
