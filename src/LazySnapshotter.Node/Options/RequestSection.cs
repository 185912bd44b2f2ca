using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Node.Pulling;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Node.Options;

// How long requests to registries may take, how often they are repeated and how many there are at once: the waits of
// RegistryOptions and SpanFetcherOptions that a person may set, in seconds. Every read ends by one of them.
public sealed record RequestSection
{
    private const double SecondsMin = 0.001;
    private const int SecondsMax = 24 * 60 * 60;
    private const int RetryLimitMax = 100;
    private const int ConcurrencyLimit = 1024;

    private static readonly RegistryOptions Defaults = new();

    /// <summary>For a connection.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double ConnectTimeout { get; set; } = Defaults.ConnectTimeout.TotalSeconds;

    /// <summary>From a request to the first byte of its answer.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double ResponseTimeout { get; set; } = Defaults.ResponseTimeout.TotalSeconds;

    /// <summary>The longest silence inside a body.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double StallTimeout { get; set; } = Defaults.StallTimeout.TotalSeconds;

    /// <summary>For a ping, a token or a manifest as a whole.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double DocumentDeadline { get; set; } = Defaults.DocumentDeadline.TotalSeconds;

    /// <summary>For a host's first sign of life, while containerd waits to be told whether a layer is served lazily.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double DecisionBudget { get; set; } = Defaults.DecisionBudget.TotalSeconds;

    /// <summary>For how long a host that gave none is not asked again for such a decision.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double DecisionMemory { get; set; } = Defaults.DecisionMemory.TotalSeconds;

    /// <summary>How long nothing at all may come for a layer that is being got ready, whatever the reason.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double DecisionDeadline { get; set; } = PullDecisions.DefaultSilenceMax.TotalSeconds;

    /// <summary>For what a program reads of a file, whatever has to be done for it: then the read is EIO.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double ReadDeadline { get; set; } = new SpanFetcherOptions().Deadline.TotalSeconds;

    /// <summary>For one range of a blob, waits for turns and repetitions included.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double RangeDeadline { get; set; } = Defaults.RangeDeadline.TotalSeconds;

    /// <summary>Repetitions of one request.</summary>
    [Limits(0, RetryLimitMax)]
    public int RetryLimit { get; set; } = Defaults.RetryLimit;

    /// <summary>How long a host is left alone after its first failure; doubled by each further one.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double RetryDelay { get; set; } = Defaults.RetryDelay.TotalSeconds;

    /// <summary>And never for longer than this, unless it asks for more.</summary>
    [Limits(SecondsMin, SecondsMax)]
    public double RetryDelayMax { get; set; } = Defaults.RetryDelayMax.TotalSeconds;

    /// <summary>Requests to one host at a time, to begin with.</summary>
    [Limits(1, ConcurrencyLimit)]
    public int Concurrency { get; set; } = Defaults.ConcurrencyStart;

    /// <summary>The most that may become of it.</summary>
    [Limits(1, ConcurrencyLimit)]
    public int ConcurrencyMax { get; set; } = Defaults.ConcurrencyMax;

    /// <summary>The least wait before an unanswered read is asked for a second time; 0: never.</summary>
    [Limits(0, SecondsMax)]
    public double HedgeFloor { get; set; } = Defaults.HedgeFloor.TotalSeconds;

    public TimeSpan ToSilenceMax() => TimeSpan.FromSeconds(DecisionDeadline);

    public SpanFetcherOptions ToFetcherOptions() => new() { Deadline = TimeSpan.FromSeconds(ReadDeadline) };

    public RegistryOptions ApplyTo(RegistryOptions options) => options with
    {
        ConnectTimeout = TimeSpan.FromSeconds(ConnectTimeout),
        ResponseTimeout = TimeSpan.FromSeconds(ResponseTimeout),
        StallTimeout = TimeSpan.FromSeconds(StallTimeout),
        DocumentDeadline = TimeSpan.FromSeconds(DocumentDeadline),
        RangeDeadline = TimeSpan.FromSeconds(RangeDeadline),
        DecisionBudget = TimeSpan.FromSeconds(DecisionBudget),
        DecisionMemory = TimeSpan.FromSeconds(DecisionMemory),
        RetryLimit = RetryLimit,
        RetryDelay = TimeSpan.FromSeconds(RetryDelay),
        RetryDelayMax = TimeSpan.FromSeconds(RetryDelayMax),
        ConcurrencyStart = Concurrency,
        ConcurrencyMax = ConcurrencyMax,
        HedgeFloor = HedgeFloor == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(HedgeFloor),
    };

    /// <summary>What is wrong with numbers that are right each by itself; null if nothing is.</summary>
    public string? WhyNot()
    {
        if (RetryDelay > RetryDelayMax)
            return $"retryDelay: {RetryDelay} is more than retryDelayMax, {RetryDelayMax}";
        return Concurrency > ConcurrencyMax ? $"concurrency: {Concurrency} is not from 1 to concurrencyMax, {ConcurrencyMax}" : null;
    }
}
