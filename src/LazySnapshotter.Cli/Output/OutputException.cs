using System.Runtime.InteropServices;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Cli.Output;

/// <summary>
/// Standard output took not all of what was written. No IOException, on purpose: it is the end of the command, not the failure
/// of a layer or a file that somebody on the way may pass over.
/// </summary>
internal sealed class OutputException(Errno errno) : Exception("standard output: " + Describe(errno))
{
    /// <summary>The reader has left (<c>| head</c>): what it wanted, it has.</summary>
    public bool ReaderIsGone { get; } = errno == Errno.EPIPE;

    private static string Describe(Errno errno) => errno == Errno.EBADF ? "it is closed" : Marshal.GetPInvokeErrorMessage((int)errno);
}
