using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Faults;

// When a fault strikes: what the client has learned by then, what it does, and which of its requests is befallen. The
// registry wants tokens and redirects to its second host unless the moment is one without.
internal sealed record Moment(string Name, TestRequestKind Kind)
{
    public const int Start = 1000;
    public const int Length = 200_000;

    private static readonly TestRegistryOptions TokensAndRedirects = new()
    {
        Auth = TestAuthMode.Bearer,
        RedirectBlobs = true,
        TokenLifetime = TimeSpan.FromHours(2),
        UrlLifetime = TimeSpan.FromHours(2),
    };

    /// <summary>A node that knows nothing reads a range: the ping.</summary>
    public static readonly Moment Ping = new("ping", TestRequestKind.Ping);

    /// <summary>The same: the token.</summary>
    public static readonly Moment Token = new("token", TestRequestKind.Token);

    /// <summary>A tag is resolved, with a token at hand.</summary>
    public static readonly Moment Manifest = new(
        "manifest", TestRequestKind.Manifest) { PrepareAsync = KnowTheRepositoryAsync, ActAsync = ResolveAsync };

    /// <summary>A registry that redirects nobody is asked for a range.</summary>
    public static readonly Moment AtRegistry = new("blob at the registry", TestRequestKind.Blob)
    {
        Server = TokensAndRedirects with { RedirectBlobs = false },
        PrepareAsync = KnowTheRepositoryAsync,
    };

    /// <summary>The registry is asked where the blob is.</summary>
    public static readonly Moment Redirect = new("redirect", TestRequestKind.Blob) { PrepareAsync = KnowTheRepositoryAsync };

    /// <summary>The place that the registry has just named.</summary>
    public static readonly Moment CdnFirst = new("CDN, first time", TestRequestKind.Cdn) { PrepareAsync = KnowTheRepositoryAsync };

    /// <summary>The place that it named for an earlier read.</summary>
    public static readonly Moment CdnRemembered = new("CDN, remembered", TestRequestKind.Cdn) { PrepareAsync = KnowTheBlobAsync };

    /// <summary>The registry has forgotten the token, and a new one is to be had.</summary>
    public static readonly Moment TokenRevoked = new("token revoked", TestRequestKind.Token)
    {
        Server = TokensAndRedirects with { RedirectBlobs = false },
        PrepareAsync = async bench =>
        {
            await KnowTheBlobAsync(bench);
            bench.Server.Tokens.RevokeAll();
        },
    };

    /// <summary>The remembered place refuses its URL, and the registry is asked anew.</summary>
    public static readonly Moment UrlRevoked = new("URL revoked", TestRequestKind.Blob)
    {
        PrepareAsync = async bench =>
        {
            await KnowTheBlobAsync(bench);
            bench.Server.SignedUrls.RevokeAll();
        },
    };

    /// <summary>Another process with the memory of the first, which knew the blob: the remembered place.</summary>
    public static readonly Moment AfterRestart = new("after a restart", TestRequestKind.Cdn)
    {
        PrepareAsync = async bench =>
        {
            await KnowTheBlobAsync(bench);
            bench.Restart();
        },
    };

    /// <summary>The same where the registry has the blob itself.</summary>
    public static readonly Moment AfterRestartAtRegistry = new("after a restart, at the registry", TestRequestKind.Blob)
    {
        Server = AtRegistry.Server,
        PrepareAsync = AfterRestart.PrepareAsync,
    };

    public TestRegistryOptions Server { get; init; } = TokensAndRedirects;

    public RegistryOptions Client { get; init; } = Bench.Impatient;

    public Func<Bench, Task> PrepareAsync { get; init; } = _ => Task.CompletedTask;

    /// <summary>Fails the test where the answer is there but wrong.</summary>
    public Func<Bench, Task> ActAsync { get; init; } = bench => bench.AssertReadsAsync(Start, Length);

    /// <summary>Which of the three hosts the befallen requests go to.</summary>
    public TestHost Host => Kind switch
    {
        TestRequestKind.Token => TestHost.TokenService,
        TestRequestKind.Cdn => TestHost.Cdn,
        _ => TestHost.Registry,
    };

    /// <summary>With nothing learned before.</summary>
    public Moment Fresh() => this with { Name = Name + ", fresh node", PrepareAsync = _ => Task.CompletedTask };

    public Moment Patience(double seconds) =>
        this with { Name = $"{Name}, deadline {seconds} s", Client = Client with { RangeDeadline = TimeSpan.FromSeconds(seconds) } };

    public Moment Waits(double seconds) =>
        this with { Name = $"{Name}, waits {seconds} s", Client = Client with { ResponseTimeout = TimeSpan.FromSeconds(seconds) } };

    public Moment Stalls(double seconds) =>
        this with { Name = $"{Name}, stalls {seconds} s", Client = Client with { StallTimeout = TimeSpan.FromSeconds(seconds) } };

    public Moment OverTls() => this with
    {
        Name = Name + ", over TLS and HTTP/2",
        Server = Server with { Tls = true },
        Client = Client with { PlainHttp = _ => false },
    };

    private static async Task KnowTheRepositoryAsync(Bench bench)
    {
        var other = bench.Server.Content.AddBlob(Bench.Repository, [1, 2, 3]);
        Assert.Equal([2], await bench.ReadAsync(1, 1, bench.Client.OpenBlob(bench.Reference, other.Digest, other.Size)));
    }

    private static Task KnowTheBlobAsync(Bench bench) => bench.AssertReadsAsync(0, 1);

    private static async Task ResolveAsync(Bench bench)
    {
        var expected = bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob]);
        var resolved = await bench.Client.ResolveAsync(bench.Reference, Platform.Current, CancellationToken.None);
        Assert.Equal(expected.Digest, resolved.Root.Descriptor.Digest);
        Assert.Equal(bench.Blob.Digest, Assert.Single(resolved.Manifest.Layers).Digest);
    }
}
