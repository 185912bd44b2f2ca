using System.Net;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry;

// Counters over the life of a client, for metrics and for tests. Each is exact; together they are not one moment.
public sealed class RegistryStatistics
{
    private readonly long[] _requests = new long[Enum.GetValues<RegistryRequestKind>().Length];
    private long _redirects;
    private long _failures;
    private long _repetitions;
    private long _documentBytes;
    private long _blobBytes;
    private long _uploadedBytes;
    private long _resumedBodies;
    private long _queueWaitTicks;
    private long _hedges;
    private long _hedgesWon;

    /// <summary>Requests sent, whatever came of them.</summary>
    public long Requests
    {
        get
        {
            var sum = 0L;
            for (var i = 0; i < _requests.Length; i++)
                sum += Interlocked.Read(ref _requests[i]);
            return sum;
        }
    }

    /// <summary>Responses that named another place.</summary>
    public long Redirects => Interlocked.Read(ref _redirects);

    /// <summary>Requests without a response, and responses of 400 and above except 401.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Requests that repeat a failed one.</summary>
    public long Repetitions => Interlocked.Read(ref _repetitions);

    /// <summary>Body bytes of pings, tokens and manifests.</summary>
    public long DocumentBytes => Interlocked.Read(ref _documentBytes);

    /// <summary>Body bytes of blobs, those skipped on hosts without ranges included.</summary>
    public long BlobBytes => Interlocked.Read(ref _blobBytes);

    /// <summary>Bytes of blobs sent, those of uploads that broke off included.</summary>
    public long UploadedBytes => Interlocked.Read(ref _uploadedBytes);

    /// <summary>Bodies that broke off and were continued.</summary>
    public long ResumedBodies => Interlocked.Read(ref _resumedBodies);

    /// <summary>What requests waited for their turns, all together.</summary>
    public TimeSpan QueueWait => TimeSpan.FromTicks(Interlocked.Read(ref _queueWaitTicks));

    /// <summary>Requests sent a second time because the first stayed unanswered far longer than others.</summary>
    public long Hedges => Interlocked.Read(ref _hedges);

    /// <summary>Of those: answered before the first.</summary>
    public long HedgesWon => Interlocked.Read(ref _hedgesWon);

    public long RequestsOf(RegistryRequestKind kind) => Interlocked.Read(ref _requests[(int)kind]);

    internal void CountHop(in RegistryHop hop)
    {
        Interlocked.Increment(ref _requests[(int)hop.Kind]);
        Interlocked.Add(ref _queueWaitTicks, hop.QueueWait.Ticks);
        if (hop.Attempt > 0)
            Interlocked.Increment(ref _repetitions);
        if (hop.StatusCode is null || ((int)hop.StatusCode >= 400 && hop.StatusCode != HttpStatusCode.Unauthorized))
            Interlocked.Increment(ref _failures);
        else if (RedirectPolicy.IsRedirect(hop.StatusCode.Value))
            Interlocked.Increment(ref _redirects);
    }

    internal void CountDocumentBytes(long count) => Interlocked.Add(ref _documentBytes, count);

    internal void CountBlobBytes(long count) => Interlocked.Add(ref _blobBytes, count);

    internal void CountUploadedBytes(long count) => Interlocked.Add(ref _uploadedBytes, count);

    internal void CountHedge() => Interlocked.Increment(ref _hedges);

    internal void CountHedgeWon() => Interlocked.Increment(ref _hedgesWon);

    internal void CountResumedBody() => Interlocked.Increment(ref _resumedBodies);
}
