using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Soci;

/// <summary>How to build a zTOC. The same options and layer give the same zTOC everywhere, and the one soci makes.</summary>
public sealed record ZtocOptions
{
    /// <summary>What `soci create` takes.</summary>
    public const long DefaultSpanLength = 4 * 1024 * 1024;

    public const string DefaultBuildTool = "LazySnapshotter";

    /// <summary>A span ends at the first deflate block boundary behind more than so many uncompressed bytes.</summary>
    public long SpanLength { get; init; } = DefaultSpanLength;

    /// <summary>
    /// Who made the zTOC, stored in it. Soci 0.4 calls itself `AWS SOCI CLI v0.1`, later ones `AWS SOCI CLI v0.2`: with
    /// that, the zTOC has the digest theirs has.
    /// </summary>
    public string BuildTool { get; init; } = DefaultBuildTool;

    /// <summary>What the blob's digest must be; without it the blob is taken as it is.</summary>
    public Digest? ExpectedDigest { get; init; }

    /// <summary>Told how many bytes of the blob have passed.</summary>
    public IProgress<long>? Progress { get; init; }
}
