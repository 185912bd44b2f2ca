namespace LazySnapshotter.Artifacts.Soci;

// soci's names, as soci spells them (soci/soci_index.go, soci/prefetch.go). Its manifests have no artifactType: the
// configuration's media type says what they are.
internal static class SociNames
{
    /// <summary>A referrer of the image's manifest.</summary>
    public const string IndexV1 = "application/vnd.amazon.soci.index.v1+json";

    /// <summary>Named by an annotation of the image's manifest.</summary>
    public const string IndexV2 = "application/vnd.amazon.soci.index.v2+json";

    public const string ZtocMediaType = "application/octet-stream";
    public const string PrefetchMediaType = "application/vnd.amazon.soci.prefetch.v1+json";

    public const string LayerMediaTypeAnnotation = "com.amazon.soci.image-layer-mediaType";
    public const string LayerDigestAnnotation = "com.amazon.soci.image-layer-digest";
    public const string SpanSizeAnnotation = "com.amazon.soci.span-size";
    public const string DisableXattrsAnnotation = "com.amazon.soci.disable-xattrs";
    public const string BuildToolAnnotation = "com.amazon.soci.build-tool-identifier";

    /// <summary>On the image's manifest: digest of its v2 index.</summary>
    public const string IndexDigestAnnotation = "com.amazon.soci.index-digest";
}
