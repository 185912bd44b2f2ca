using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Http;

// The one line a hop leaves in the log. It is written when the body is at its end, because only then is known how much of it
// came: bytes are those that were received, not those that were announced.
/// <param name="received">Called when bytes of the body came.</param>
internal sealed class HopReport(RegistryHop hop, string range, Action received, ILogger logger)
{
    private long _bytes;
    private int _isWritten;

    public void Received(int count)
    {
        _bytes += count; // One reader.
        received();
    }

    /// <summary>The body is at its end, broke off, or nobody wants the rest. Once: what comes later changes nothing.</summary>
    public void End()
    {
        if (Interlocked.Exchange(ref _isWritten, 1) == 0 && hop.StatusCode is { } status)
        {
            logger.Hop(
                hop.Method, hop.Url, range, (int)status, Volatile.Read(ref _bytes),
                hop.TimeToFirstByte.TotalMilliseconds, hop.QueueWait.TotalMilliseconds,
                hop.Attempt, hop.IsHedge ? ", a hedge" : "");
        }
    }

    public void Failed(string cause)
    {
        if (Interlocked.Exchange(ref _isWritten, 1) == 0)
        {
            logger.HopFailed(
                hop.Method, hop.Url, range, hop.TimeToFirstByte.TotalMilliseconds, hop.QueueWait.TotalMilliseconds, hop.Attempt, hop.IsHedge
                    ? ", a hedge"
                    : "", cause);
        }
    }
}
