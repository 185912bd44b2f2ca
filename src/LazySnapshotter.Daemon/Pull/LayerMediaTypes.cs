using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Pull;

// Which layers containerd can unpack, and what to say about the others.
internal static class LayerMediaTypes
{
    /// <summary>What containerd takes for a layer when it labels content (core/images/mediatypes.go, IsLayerType).</summary>
    public static bool IsLayer(string mediaType) =>
        mediaType.StartsWith("application/vnd.oci.image.layer.", StringComparison.Ordinal)
        || mediaType.StartsWith("application/vnd.docker.image.rootfs.", StringComparison.Ordinal);

    /// <returns>Why an image with such a layer cannot be pulled; null if it can.</returns>
    public static string? WhyNot(string mediaType)
    {
        if (MediaTypes.IsLazyLayer(mediaType) || mediaType is MediaTypes.OciLayerZstd or MediaTypes.DockerLayerZstd)
            return null;
        if (mediaType.StartsWith("application/vnd.oci.image.layer.nondistributable.", StringComparison.Ordinal)
            || mediaType.StartsWith("application/vnd.docker.image.rootfs.foreign.", StringComparison.Ordinal))
            return $"media type {mediaType}: foreign layers are not in the registry";
        if (mediaType.EndsWith("+encrypted", StringComparison.Ordinal))
            return $"media type {mediaType}: encrypted layers are not supported";
        return $"media type {mediaType} is not a layer containerd can unpack";
    }
}
