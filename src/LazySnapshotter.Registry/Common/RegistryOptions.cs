using System.Net;

namespace LazySnapshotter.Registry.Common;

// What a person may decide about talking to registries. Every wait has an end: a connection, the first byte of an
// answer, a silence inside a body, and an operation as a whole each have their own limit.
public sealed record RegistryOptions
{
    /// <summary>
    /// Says for a host (with its port, as in a reference) whether it is spoken to in plain http. Everything else is https, but for
    /// names of one's own network, where plain http is tried if https fails. See <see cref="PlainHttpOn"/>.
    /// </summary>
    public Func<string, bool> PlainHttp { get; init; } = Loopback.IsLoopback;

    /// <summary>
    /// Directory, or directories separated by colons, in which containerd's <c>hosts.toml</c> files are: <c>docker.io/hosts.toml</c>,
    /// <c>_default/hosts.toml</c>. Null: none. Read again when a file changes.
    /// </summary>
    public string? HostsDirectory { get; init; }

    /// <summary>
    /// The one file with logins, in the format of docker's config.json. By default docker's and podman's own are asked, see
    /// docs/CONFIGURATION.md.
    /// </summary>
    public string? DockerConfigPath { get; init; }

    public string UserAgent { get; init; } = DefaultUserAgent;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From a request to the head of its response.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// From the last byte of an upload to the head of its response: registries store, and often hash, the whole blob in between.
    /// </summary>
    public TimeSpan UploadResponseTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The longest silence inside a body; after it the body is resumed on another connection.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For a ping, a token or a manifest as a whole, retries included.</summary>
    public TimeSpan DocumentDeadline { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>For a range of a blob as a whole, from the call to the last byte, retries included.</summary>
    public TimeSpan RangeDeadline { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For a whole blob. None by default: how long one takes is a matter of its size, and silence has its own limit.</summary>
    public TimeSpan BlobDeadline { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long a host's first sign of life is waited for where somebody can do without (<see cref="Decision"/>).</summary>
    public TimeSpan DecisionBudget { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>For how long a host that gave none is not asked again there, and one that did is waited for longer.</summary>
    public TimeSpan DecisionMemory { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan CredentialHelperTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often one request is repeated after failures that may pass.</summary>
    public int RetryLimit { get; init; } = 5;

    /// <summary>Wait before the first repetition; doubles each time (regclient's numbers).</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan RetryDelayMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Requests to one host at a time, to begin with: enough for all layers of an image at once, and few enough connections
    /// (a round trip each, three with TLS) not to slow each other down. Adapts to what the host sustains.
    /// </summary>
    public int ConcurrencyStart { get; init; } = 8;

    /// <summary>Requests to one host at a time, however much it sustains.</summary>
    public int ConcurrencyMax { get; init; } = 32;

    /// <summary>
    /// A read that somebody waits for is asked for a second time when its first byte takes four times as long as nearly all
    /// others (95 of 100) from that host did, but never sooner than this; infinite: never.
    /// </summary>
    public TimeSpan HedgeFloor { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Called for every request sent, when its response's head is here or it failed. Must be quick and must not throw.</summary>
    public Action<RegistryHop>? OnHop { get; init; }

    /// <summary>
    /// A folder for what is to be remembered over a restart: what hosts want to see, tokens, where blobs lie, manifests. It must
    /// be this user's alone; several processes may share it. Null: everything is forgotten with the client.
    /// </summary>
    public string? MemoryPath { get; init; }

    /// <summary>From a change of what is remembered until it is written.</summary>
    internal TimeSpan MemoryWriteDelay { get; init; } = TimeSpan.FromSeconds(2);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>
    /// Says for a host (with its port where it is not the scheme's own) whether a public registry may lead there although it
    /// is at a private address: storage behind a private endpoint, for example. By default none is.
    /// </summary>
    public Func<string, bool> MayLeadTo { get; init; } = _ => false;

    /// <summary>For tests: where HTTPS_PROXY, HTTP_PROXY and NO_PROXY come from.</summary>
    internal Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>For tests: names and addresses this machine does not have.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dialing.ResolveAsync;

    internal Func<IPAddress[], int, CancellationToken, ValueTask<Stream>> Dial { get; init; } = Dialing.ConnectAsync;

    /// <summary>For tests: trust in a certificate made a second ago.</summary>
    internal Action<SocketsHttpHandler>? ConfigureHandler { get; init; }

    /// <summary>The longest silence inside a body, for what the caller is at.</summary>
    internal TimeSpan SilenceMax => Decision.IsPending && PatienceWithAnswerer < StallTimeout ? PatienceWithAnswerer : StallTimeout;

    /// <summary>Of somebody who decides, with a host that has answered lately: it lives, it is only slow.</summary>
    internal TimeSpan PatienceWithAnswerer => DecisionBudget * 3;

    private static string DefaultUserAgent { get; } =
        "lazysnap/" + (typeof(RegistryOptions).Assembly.GetName().Version?.ToString(3) ?? "0.0.0");

    /// <summary>
    /// For <see cref="MayLeadTo"/>: the hosts listed, as <c>host:port</c> or as <c>host</c> for any port; <c>*</c> is every host.
    /// </summary>
    public static Func<string, bool> LeadingTo(IEnumerable<string> hosts)
    {
        var listed = new HashSet<string>(hosts, StringComparer.OrdinalIgnoreCase);
        return host => listed.Contains("*") || listed.Contains(host) || listed.Contains(Loopback.WithoutPort(host));
    }

    /// <summary>Plain http for loopback hosts and for those listed, as <c>host:port</c> or as <c>host</c> for any port.</summary>
    public static Func<string, bool> PlainHttpOn(IEnumerable<string> hosts)
    {
        var listed = new HashSet<string>(hosts, StringComparer.OrdinalIgnoreCase);
        return host => Loopback.IsLoopback(host) || listed.Contains(host) || listed.Contains(Loopback.WithoutPort(host));
    }
}
