using System.Security.Cryptography.X509Certificates;

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

    /// <summary>The token service knows OAuth2's POST alone, names and passwords included; to GET it answers 405.</summary>
    public bool PasswordsByPost { get; init; }

    /// <summary>Each token comes with a refresh token, good once.</summary>
    public bool HandsOutRefreshTokens { get; init; }

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Blobs are answered with a redirect to a signed URL on another port.</summary>
    public bool RedirectBlobs { get; init; }

    public TimeSpan UrlLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>https with a certificate of its own making (<see cref="TestRegistry.Certificate"/>).</summary>
    public bool Tls { get; init; }

    /// <summary>With <see cref="Tls"/>: another certificate than one of its own making.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>With <see cref="Tls"/>: lets nobody in who does not show a certificate, and lets every certificate in.</summary>
    public bool AsksForCertificates { get; init; }

    /// <summary>Lists referrers itself and says so when a manifest with a subject is put (OCI distribution-spec 1.1).</summary>
    public bool ReferrersApi { get; init; } = true;

    /// <summary>Referrers per answer; the rest follows a Link.</summary>
    public int ReferrersPerPage { get; init; } = int.MaxValue;

    /// <summary>Applies an artifactType filter itself.</summary>
    public bool FiltersReferrers { get; init; } = true;

    /// <summary>Tags per answer; the rest follows a Link.</summary>
    public int TagsPerPage { get; init; } = int.MaxValue;

    /// <summary>Takes blobs over from its other repositories.</summary>
    public bool Mounts { get; init; } = true;

    /// <summary>Upload sessions are on another port, which accepts no credentials.</summary>
    public bool UploadsElsewhere { get; init; }

    /// <summary>Names upload sessions by an absolute URL.</summary>
    public bool AbsoluteLocations { get; init; }

    /// <summary>Deletes manifests and tags.</summary>
    public bool Deletes { get; init; } = true;

    /// <summary>Gives manifests an ETag and honours If-Match and If-None-Match on them.</summary>
    public bool Preconditions { get; init; } = true;

    /// <summary>With <see cref="Username"/>: anybody may read without it, which the ping (200) does not tell.</summary>
    public bool OpenForReading { get; init; }

    /// <summary>For faults with a probability.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Of the registry itself; 0 takes a free one.</summary>
    public int Port { get; init; }
}
