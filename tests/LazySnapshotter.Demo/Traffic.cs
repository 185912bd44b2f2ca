using System.Diagnostics;
using System.Globalization;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Demo;

// What went over the link during one cold start, as the registry saw it.
internal sealed record Traffic(IReadOnlyList<TrafficLine> Lines)
{
    public int Requests => Lines.Count;

    public long Bytes => Lines.Sum(line => line.Bytes);

    public int Count(params ReadOnlySpan<TestRequestKind> kinds)
    {
        var count = 0;
        foreach (var line in Lines)
            count += kinds.Contains(line.Kind) ? 1 : 0;
        return count;
    }

    /// <param name="since">Of <see cref="Stopwatch"/>: times are counted from here.</param>
    public static Traffic Of(TestRegistry registry, long since) => new([
        .. registry.Requests.Select(request => new TrafficLine(
            Stopwatch.GetElapsedTime(since, request.ReceivedAt), request.Kind, request.BytesSent, request.StatusCode,
            $"{request.Method} {request.Path} {request.Range} by {request.UserAgent}")),
    ]);
}

/// <param name="What">Method, path, range and client; no query and no header that may hold a secret.</param>
internal sealed record TrafficLine(TimeSpan At, TestRequestKind Kind, long Bytes, int StatusCode, string What)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{At.TotalMilliseconds,8:0} ms  {Kind,-9} {StatusCode,3} {Bytes,9}  {What}");
}
