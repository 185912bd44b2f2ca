using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// READ and INTERRUPT. A read whose bytes are here is answered at once on the reader thread and leaves no garbage; any
// other goes on as a task, is answered from the thread pool, and the reader thread takes the next request.
internal sealed partial class FuseDispatcher
{
    private void Read(ref FuseRequest request)
    {
        var arguments = request.Read<FuseReadIn>();
        if (arguments.Size > FuseLimits.ReadLengthMax || arguments.Offset > (ulong)(long.MaxValue - arguments.Size))
        {
            _device.ReplyError(request.Header.Unique, Errno.EINVAL);
            return;
        }

        var read = _connection.Reads.Begin(request.Header, (long)arguments.Offset, (int)arguments.Size);
        ValueTask<int> reading;
        try
        {
            reading = _fileSystem.ReadAsync(read.Node, read.Offset, read.Buffer.AsMemory(0, read.Length), read.Token);
        }
        catch (Exception e)
        {
            reading = ValueTask.FromException<int>(e);
        }

        if (reading.IsCompletedSuccessfully)
            Finish(read, reading.Result);
        else
            _ = FinishLaterAsync(read, reading);
    }

    private async Task FinishLaterAsync(PendingRead read, ValueTask<int> reading)
    {
        try
        {
            Finish(read, await reading);
        }
        catch (Exception e)
        {
            Fail(read, e);
        }
    }

    private void Finish(PendingRead read, int count)
    {
        if ((uint)count > (uint)read.Length)
        {
            Fail(read, new InvalidOperationException($"the filesystem says it put {count} bytes into {read.Length}"));
            return;
        }

        if (read.TryAnswer())
            _device.Reply(read.Unique, read.Buffer.AsSpan(0, count));
        _connection.Reads.End(read);
    }

    private void Fail(PendingRead read, Exception exception)
    {
        if (read.TryAnswer())
        {
            FuseLog.ReadFailed(_connection.Logger, read.Node, read.Offset, read.Length, exception);
            _device.ReplyError(read.Unique, Errno.EIO);
        }

        _connection.Reads.End(read);
    }

    private void Interrupt(ref FuseRequest request)
    {
        var unique = request.Read<FuseInterruptIn>().Unique;
        if (_connection.Reads.TryInterrupt(unique) is { } read)
            _ = Task.Run(() => ReadInterruption.WatchAsync(read, _connection));
        else
        {
            // Another thread has just answered it, or has it in hand and will. EAGAIN makes the kernel send the INTERRUPT
            // again if the request is still open, and is ignored otherwise.
            _device.ReplyError(request.Header.Unique, Errno.EAGAIN);
        }
    }
}
