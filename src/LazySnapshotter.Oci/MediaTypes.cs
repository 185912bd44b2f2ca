namespace LazySnapshotter.Oci;

// Media types of image documents and layers (OCI image-spec media-types.md; Docker's distribution manifest v2 schema 2).
public static class MediaTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string OciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    public const string OciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";

    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    public const string DockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";

    // Layers that no registry may be given: they stay where their URLs say (image-spec layer.md, "Non-Distributable Layers").
    private const string OciNondistributable = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    private const string DockerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar";

    public static bool IsIndex(string mediaType) => mediaType is OciIndex or DockerManifestList;

    public static bool IsManifest(string mediaType) => mediaType is OciManifest or DockerManifest;

    /// <summary>Layers that can be mounted without unpacking: gzip-compressed or plain tar, wherever they lie.</summary>
    public static bool IsLazyLayer(string mediaType) => mediaType is OciLayer or OciLayerGzip or DockerLayer or DockerLayerGzip
        or OciNondistributable or OciNondistributable + "+gzip" or DockerForeign or DockerForeign + ".gzip";

    public static bool IsForeignLayer(string mediaType) =>
        mediaType.StartsWith(OciNondistributable, StringComparison.Ordinal)
            || mediaType.StartsWith(DockerForeign, StringComparison.Ordinal);

    /// <summary>What containerd takes for a layer, whether it can unpack it or not (core/images/mediatypes.go, IsLayerType).</summary>
    public static bool IsImageLayer(string mediaType) =>
        mediaType.StartsWith("application/vnd.oci.image.layer.", StringComparison.Ordinal)
        || mediaType.StartsWith("application/vnd.docker.image.rootfs.", StringComparison.Ordinal);
}
