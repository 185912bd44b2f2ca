using System.Runtime.InteropServices;

namespace LazySnapshotter.TestSupport.Processes;

// kill(2), always with the id of one process that the tests started.
public static partial class Signals
{
    public const int SIGKILL = 9;
    public const int SIGTERM = 15;

    /// <returns>False when there is no such process any more.</returns>
    public static bool Send(int processId, int signal)
    {
        // 0, -1 and negative ids mean groups, or everybody.
        ArgumentOutOfRangeException.ThrowIfLessThan(processId, 2);
        return kill(processId, signal) == 0;
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int sig);
}
