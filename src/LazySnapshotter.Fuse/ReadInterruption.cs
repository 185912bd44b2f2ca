using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// What happens after INTERRUPT. The kernel sends it, once, for any signal to a thread that waits for a read, also one the
// program handles (Go's runtime sends SIGURG all the time). Ending the read then would be wrong: programs do not expect
// EINTR from a file, and a page fault would end in SIGBUS. So the read goes on, as on a disk, until the thread is
// about to die; then it is answered with EINTR at once, whatever the filesystem does about its token, because the kernel
// lets the thread go only when it has a reply.
internal static class ReadInterruption
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    public static async Task WatchAsync(PendingRead read, FuseConnection connection)
    {
        while (!read.IsAnswered)
        {
            if (IsDying(read.ThreadId))
            {
                FuseLog.ReadInterrupted(connection.Logger, read.Node, read.Offset, read.Age, read.ThreadId);
                GiveUp(read, connection);
                return;
            }

            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Answers with EINTR and tells the filesystem, which gives the buffer back when it has noticed.</summary>
    public static void GiveUp(PendingRead read, FuseConnection connection)
    {
        if (read.TryAnswer())
            connection.Device.ReplyError(read.Unique, Errno.EINTR);

        try
        {
            read.Cancel();
        }
        catch (AggregateException e)
        {
            FuseLog.CancellationFailed(connection.Logger, e);
        }
    }

    // A thread we cannot see (0: another pid namespace) gets what it asked for.
    private static bool IsDying(uint threadId)
    {
        if (threadId == 0)
            return true;

        try
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{threadId}/status");
            return PendingSignals.EndThread(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is gone, or goes while we look (ESRCH), or is hidden from us like one of another namespace.
            return true;
        }
    }
}
