namespace LazySnapshotter.Artifacts;

// What artifacts in a registry may ask of us. Whoever may push to a repository may put any number of them there.
internal static class ArtifactLimits
{
    /// <summary>Artifacts of one kind that are looked into for one image; each costs a request.</summary>
    public const int ArtifactsPerKindMax = 4;

    /// <summary>Descriptors in one artifact: far more than an image has layers.</summary>
    public const int PartsMax = 4096;

    /// <summary>
    /// The part of an index file that a mount needs; it is held in memory. A layer of 4,000,000 entries has about 100 MB.
    /// </summary>
    public const long FrontLengthMax = 1L << 30;

    /// <summary>Bytes of a prefetch list, and ranges in it.</summary>
    public const int PrefetchLengthMax = 4 << 20;
    public const int PrefetchRangesMax = 65536;

    /// <summary>Images whose artifacts are remembered at a time.</summary>
    public const int RememberedImagesMax = 256;
}
