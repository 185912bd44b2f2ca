namespace LazySnapshotter.Registry.Common;

// The limits on everything a registry, a token service or a helper program sends. Each protects memory or time.
internal static class RegistryLimits
{
    /// <summary>Manifests and indexes; what distribution itself accepts on push.</summary>
    public const int ManifestBytesMax = 4 << 20;

    /// <summary>Blobs read into memory: image configurations, small index artifacts.</summary>
    public const int SmallBlobBytesMax = 8 << 20;

    /// <summary>A blob of which nobody knows the size. Far above any layer, far below endless.</summary>
    public const long UnknownBlobBytesMax = 64L << 30;

    public const int TokenBodyBytesMax = 64 << 10;

    /// <summary>Sent with every request, so far below what servers take in a header (often 8 KiB; some tokens are larger).</summary>
    public const int TokenCharsMax = 32 << 10;

    public const int ErrorBodyBytesMax = 8 << 10;

    public const int ErrorTextCharsMax = 300;

    public const int ResponseHeaderKilobytesMax = 64;

    public const int ChallengeCharsMax = 8 << 10;

    public const int ChallengesMax = 16;

    public const int RedirectsMax = 10;

    /// <summary>Image indexes inside image indexes.</summary>
    public const int IndexDepthMax = 16;

    /// <summary>Manifests of one copy: platforms, artifacts, artifacts of artifacts.</summary>
    public const int CopyManifestsMax = 4096;

    /// <summary>Manifests of one copy together; they are kept in memory until the blobs are there.</summary>
    public const long CopyManifestBytesMax = 128L << 20;

    /// <summary>Of a copy: how deep manifests may contain each other and refer to each other.</summary>
    public const int CopyDepthMax = 12;

    /// <summary>Of a list that comes in pages (referrers, tags): more pages than this is a registry that never ends.</summary>
    public const int ListPagesMax = 256;

    /// <summary>Referrers of one manifest.</summary>
    public const int ReferrersMax = 10_000;

    /// <summary>Tags of one repository.</summary>
    public const int TagsMax = 100_000;

    /// <summary>How often a list of referrers is read again because somebody else changed it in between.</summary>
    public const int ReferrerConflictsMax = 8;

    /// <summary>A hosts.toml. Those of real nodes have a few hundred bytes.</summary>
    public const int TomlBytesMax = 256 << 10;

    /// <summary>Of a TOML document: arrays and tables inside each other, and parts of a key.</summary>
    public const int TomlDepthMax = 16;

    /// <summary>Hosts in one hosts.toml.</summary>
    public const int EndpointsMax = 32;

    /// <summary>Pools of connections; more than this are those of configurations that were changed.</summary>
    public const int HandlersMax = 128;

    /// <summary>A file with certificates; the system's whole bundle is smaller.</summary>
    public const int CertificateFileBytesMax = 4 << 20;

    public const int DockerConfigBytesMax = 1 << 20;

    /// <summary>Distinct warnings of hosts that are passed on to people.</summary>
    public const int HostWarningsMax = 256;

    public const int HelperOutputBytesMax = 64 << 10;

    /// <summary>Repositories for which a client handed credentials over; the one not handed over for longest makes room.</summary>
    public const int PullSecretsMax = 4096;

    /// <summary>Remembered hosts and blob locations; beyond it those of no use any more are dropped.</summary>
    public const int RememberedHostsMax = 1024;

    public const int RememberedBlobsMax = 16 << 10;

    public const int RememberedTokensMax = 4096;

    public const int RememberedTagsMax = 4096;

    /// <summary>Manifests by digest: in memory, as files, and how many files.</summary>
    public const long RememberedManifestBytesMax = 32L << 20;

    public const long StoredManifestBytesMax = 64L << 20;

    public const int StoredManifestsMax = 16 << 10;

    /// <summary>Signed URLs; S3's with a session token come to some 2 KiB. A longer one is used, but not remembered.</summary>
    public const int RememberedUrlCharsMax = 8 << 10;

    /// <summary>Of hosts, repositories, scopes, ETags.</summary>
    public const int RememberedNameCharsMax = 2 << 10;

    /// <summary>Places named by one descriptor.</summary>
    public const int ForeignUrlsMax = 8;

    public const int MemoryFileBytesMax = 16 << 20;
}
