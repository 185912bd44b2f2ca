namespace LazySnapshotter.TestSupport.Registry;

public enum TestAuthMode
{
    None,
    Basic,

    /// <summary>Tokens from a service on a port of its own.</summary>
    Bearer,
}

public sealed record TestRegistryOptions
{
    public LinkProfile Link { get; init; } = LinkProfile.Unlimited;

    public TestAuthMode Auth { get; init; } = TestAuthMode.None;

    /// <summary>Null: anybody may pull; a Bearer registry then gives tokens to everybody.</summary>
    public string? Username { get; init; }

    public string Password { get; init; } = "";

    /// <summary>Accepted by the token service in POSTs (OAuth2). Null: it answers 404 to them.</summary>
    public string? IdentityToken { get; init; }

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Blobs are answered with a redirect to a signed URL on another port.</summary>
    public bool RedirectBlobs { get; init; }

    public TimeSpan UrlLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>https with a certificate of its own making (<see cref="TestRegistry.Certificate"/>).</summary>
    public bool Tls { get; init; }

    /// <summary>For faults with a probability.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Of the registry itself; 0 takes a free one.</summary>
    public int Port { get; init; }
}
