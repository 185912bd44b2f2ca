using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// Which layers containerd can unpack, and what to say about the others.
internal static class LayerMediaTypes
{
    private const string OciNondistributableZstd = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";

    /// <returns>Why an image with such a layer cannot be pulled; null if it can.</returns>
    public static string? WhyNot(string mediaType)
    {
        if (MediaTypes.IsLazyLayer(mediaType)
            || mediaType is MediaTypes.OciLayerZstd or MediaTypes.DockerLayerZstd or OciNondistributableZstd)
            return null;
        if (mediaType.EndsWith("+encrypted", StringComparison.Ordinal))
            return $"media type {mediaType}: encrypted layers are not supported";
        return $"media type {mediaType} is not a layer containerd can unpack";
    }
}
