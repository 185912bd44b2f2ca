using System.Globalization;

namespace LazySnapshotter.Fuse;

// Tells from /proc/PID/status (proc(5)) whether a signal is waiting that ends the thread once it is back in user
// mode. Signal n is bit n - 1 of each mask.
internal static class PendingSignals
{
    // Their default action stops the process (or, SIGCONT, nothing); all other pending ones with default action end it.
    private const ulong NotDeadly =
        1UL << (18 - 1) // SIGCONT
        | 1UL << (19 - 1) // SIGSTOP
        | 1UL << (20 - 1) // SIGTSTP
        | 1UL << (21 - 1) // SIGTTIN
        | 1UL << (22 - 1) // SIGTTOU
        | 1UL << (17 - 1) // SIGCHLD
        | 1UL << (23 - 1) // SIGURG
        | 1UL << (28 - 1); // SIGWINCH

    private const ulong SigKill = 1UL << (9 - 1);

    /// <param name="status">The text of /proc/PID/status.</param>
    public static bool EndThread(string status)
    {
        ulong pending = 0, harmless = NotDeadly;
        foreach (var line in status.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("SigPnd:") || line.StartsWith("ShdPnd:"))
                pending |= Mask(line);
            else if (line.StartsWith("SigBlk:") || line.StartsWith("SigIgn:") || line.StartsWith("SigCgt:"))
                harmless |= Mask(line);
        }

        return (pending & (~harmless | SigKill)) != 0;
    }

    private static ulong Mask(ReadOnlySpan<char> line) =>
        ulong.TryParse(line[(line.IndexOf(':') + 1)..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mask)
            ? mask
            : 0;
}
