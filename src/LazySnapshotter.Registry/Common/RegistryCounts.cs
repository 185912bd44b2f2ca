using System.Globalization;

namespace LazySnapshotter.Registry.Common;

// A client's counters at one moment, for what happened between two of them.
/// <param name="Bytes">Of bodies received.</param>
/// <param name="Remembered">Answers that were known already.</param>
public sealed record RegistryCounts(
    long Requests, long Pings, long Tokens, long Redirects, long Repetitions, long Failures, long Throttled, long Connections, long Bytes,
    long Hedges,
    long Remembered, TimeSpan QueueWait)
{
    public RegistryCounts Since(RegistryCounts before) => new(
        Requests - before.Requests, Pings - before.Pings, Tokens - before.Tokens, Redirects - before.Redirects,
        Repetitions - before.Repetitions,
        Failures - before.Failures, Throttled - before.Throttled, Connections - before.Connections, Bytes - before.Bytes,
        Hedges - before.Hedges,
        Remembered - before.Remembered, QueueWait - before.QueueWait);

    /// <summary>In one line, troubles only where there were some.</summary>
    public override string ToString()
    {
        var parts = new List<string>
        {
            $"{Requests} requests ({Pings} pings, {Tokens} tokens, {Redirects} redirected) over {Connections} new connections, {Bytes} " +
                $"bytes",
        };
        Add(Remembered, "answers remembered");
        Add(Repetitions, "repeated");
        Add(Failures, "failed");
        Add(Throttled, "throttled");
        Add(Hedges, "hedged");
        if (QueueWait > TimeSpan.Zero)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{QueueWait.TotalMilliseconds:F0} ms queued in all"));
        return string.Join(", ", parts);

        void Add(long count, string what)
        {
            if (count > 0)
                parts.Add($"{count} {what}");
        }
    }
}
