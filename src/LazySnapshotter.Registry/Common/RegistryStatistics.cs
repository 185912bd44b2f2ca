using System.Diagnostics.Metrics;
using System.Net;

namespace LazySnapshotter.Registry.Common;

// Counters over the life of a client, for the log, for tests, and as a meter (docs/METRICS.md), whose instruments look at them
// when they are asked. Each is exact; together they are not one moment.
public sealed class RegistryStatistics : IDisposable
{
    public const string MeterName = "LazySnapshotter.Registry";

    private readonly Meter _meter = new(MeterName);
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

    public RegistryStatistics()
    {
        ShowEach<RegistryRequestKind>(
            "lazysnap.registry.requests", "lazysnap.request.kind", RequestsOf, "{request}", "Requests sent, whatever came of them");
        ShowEach<RequestTrouble>(
            "lazysnap.registry.request.failures", "error.type", TroublesOf, "{request}", "Requests that failed, and bodies that broke off");
        ShowEach<RememberedThing>(
            "lazysnap.registry.remembered", "lazysnap.remembered.kind", RememberedOf, "{answer}", "Answers that were known already");
        Show("lazysnap.registry.request.repetitions", () => Repetitions, "{request}", "Requests that repeat a failed one");
        Show("lazysnap.registry.request.hedges", () => Hedges, "{request}", "Requests sent again because the first stayed unanswered");
        Show("lazysnap.registry.request.hedges.won", () => HedgesWon, "{request}", "Of those: answered before the first");
        Show("lazysnap.registry.redirects", () => Redirects, "{response}", "Responses that named another place");
        Show("lazysnap.registry.connections", () => Connections, "{connection}", "Connections made, whatever became of them");
        Show("lazysnap.registry.document.io", () => DocumentBytes, "By", "Body bytes of pings, tokens and manifests");
        Show("lazysnap.registry.blob.io", () => BlobBytes, "By", "Body bytes of blobs");
        Show("lazysnap.registry.upload.io", () => UploadedBytes, "By", "Bytes of blobs sent");
        Show("lazysnap.registry.blob.resumptions", () => ResumedBodies, "{body}", "Bodies that broke off and were continued");
        _meter.CreateObservableCounter(
            "lazysnap.registry.queue.wait.time", () => QueueWait.TotalSeconds, "s", "What requests waited for their turns, all together");
    }

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

    public void Dispose() => _meter.Dispose();

    /// <summary>Shows with the counters what is going on at each host.</summary>
    internal void ShowActivity(Func<IReadOnlyList<HostActivity>> hosts)
    {
        ShowState("lazysnap.registry.requests.active", host => host.Active, "Requests whose answers are not at their end");
        ShowState("lazysnap.registry.requests.waiting", host => host.Waiting, "Requests that wait for a turn");
        ShowState("lazysnap.registry.requests.limit", host => host.Limit, "How many requests the host sustains at once");

        void ShowState(string name, Func<HostActivity, int> value, string description) => _meter.CreateObservableUpDownCounter(
            name, () =>
                hosts().Select(host => new Measurement<int>(value(host), new KeyValuePair<string, object?>("server.address", host.Host))),
            "{request}", description);
    }

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
        else if (RedirectStatus.Is(hop.StatusCode.Value))
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

    private void Show(string name, Func<long> value, string unit, string description) =>
        _meter.CreateObservableCounter(name, value, unit, description);

    private void ShowEach<T>(string name, string attribute, Func<T, long> value, string unit, string description)
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>()
            .Select(each => (Value: each, Tag: new KeyValuePair<string, object?>(attribute, each.ToString())))
            .ToList();
        _meter.CreateObservableCounter(
            name, () => values.Select(each => new Measurement<long>(value(each.Value), each.Tag)), unit, description);
    }

    private static RequestTrouble TroubleOf(HttpStatusCode? status) => status switch
    {
        null => RequestTrouble.NoResponse,
        HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => RequestTrouble.Throttled,
        HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError => RequestTrouble.ServerError,
        _ => RequestTrouble.Refused,
    };
}
