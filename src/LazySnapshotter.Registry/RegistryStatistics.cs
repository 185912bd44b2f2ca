using System.Net;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry;

// Counters over the life of a client, for metrics and for tests. Each is exact; together they are not one moment.
public sealed class RegistryStatistics
{
    private readonly long[] _requests = new long[Enum.GetValues<RegistryRequestKind>().Length];
    private readonly long[] _troubles = new long[Enum.GetValues<RequestTrouble>().Length];
    private readonly long[] _remembered = new long[Enum.GetValues<RememberedThing>().Length];
    private long _connections;
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

    /// <summary>Requests without a response though somebody waited for it, and responses of 400 and above except 401.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Requests that repeat a failed one; what follows from their answers (redirects, tokens) is not counted again.</summary>
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

    /// <summary>Connections made, whatever became of them.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    /// <summary>Requests that failed for this cause; where it may pass, they were repeated.</summary>
    public long TroublesOf(RequestTrouble trouble) => Interlocked.Read(ref _troubles[(int)trouble]);

    /// <summary>Answers that were known already.</summary>
    public long RememberedOf(RememberedThing thing) => Interlocked.Read(ref _remembered[(int)thing]);

    public RegistryCounts Counts => new(
        Requests, RequestsOf(RegistryRequestKind.Ping), RequestsOf(RegistryRequestKind.Token), Redirects, Repetitions, Failures,
        TroublesOf(RequestTrouble.Throttled), Connections, DocumentBytes + BlobBytes, Hedges,
        Enum.GetValues<RememberedThing>().Sum(RememberedOf), QueueWait);

    public long RequestsOf(RegistryRequestKind kind) => Interlocked.Read(ref _requests[(int)kind]);

    /// <param name="isRepetition">It begins another attempt at what failed before.</param>
    /// <param name="isGivenUp">We ended it ourselves before an answer came, which says nothing about the host.</param>
    internal void CountHop(in RegistryHop hop, bool isRepetition, bool isGivenUp)
    {
        Interlocked.Increment(ref _requests[(int)hop.Kind]);
        Interlocked.Add(ref _queueWaitTicks, hop.QueueWait.Ticks);
        if (isRepetition)
            Interlocked.Increment(ref _repetitions);
        if (isGivenUp)
            return;
        if (hop.StatusCode is null || ((int)hop.StatusCode >= 400 && hop.StatusCode != HttpStatusCode.Unauthorized))
        {
            Interlocked.Increment(ref _failures);
            Interlocked.Increment(ref _troubles[(int)TroubleOf(hop.StatusCode)]);
        }
        else if (RedirectPolicy.IsRedirect(hop.StatusCode.Value))
            Interlocked.Increment(ref _redirects);
    }

    internal void CountDocumentBytes(long count) => Interlocked.Add(ref _documentBytes, count);

    internal void CountBlobBytes(long count) => Interlocked.Add(ref _blobBytes, count);

    internal void CountUploadedBytes(long count) => Interlocked.Add(ref _uploadedBytes, count);

    internal void CountHedge() => Interlocked.Increment(ref _hedges);

    internal void CountHedgeWon() => Interlocked.Increment(ref _hedgesWon);

    internal void CountBrokenBody() => Interlocked.Increment(ref _troubles[(int)RequestTrouble.BrokenBody]);

    internal void CountResumedBody() => Interlocked.Increment(ref _resumedBodies);

    internal void CountConnection() => Interlocked.Increment(ref _connections);

    internal void CountRemembered(RememberedThing thing) => Interlocked.Increment(ref _remembered[(int)thing]);

    private static RequestTrouble TroubleOf(HttpStatusCode? status) => status switch
    {
        null => RequestTrouble.NoResponse,
        HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => RequestTrouble.Throttled,
        HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError => RequestTrouble.ServerError,
        _ => RequestTrouble.Refused,
    };
}
