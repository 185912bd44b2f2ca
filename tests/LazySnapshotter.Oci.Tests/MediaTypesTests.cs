namespace LazySnapshotter.Oci.Tests;

public sealed class MediaTypesTests
{
    [Theory]
    [InlineData(MediaTypes.OciLayer, true)]
    [InlineData(MediaTypes.OciLayerGzip, true)]
    [InlineData(MediaTypes.DockerLayer, true)]
    [InlineData(MediaTypes.DockerLayerGzip, true)]
    [InlineData(MediaTypes.OciLayerZstd, false)]
    [InlineData(MediaTypes.DockerLayerZstd, false)]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar", true)]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true)]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", false)]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar", true)]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true)]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", false)]
    [InlineData("application/vnd.in-toto+json", false)]
    [InlineData("", false)]
    public void Gzip_and_plain_tar_are_lazy(string mediaType, bool lazy) => Assert.Equal(lazy, MediaTypes.IsLazyLayer(mediaType));

    [Theory]
    [InlineData(MediaTypes.OciIndex, true, false)]
    [InlineData(MediaTypes.DockerManifestList, true, false)]
    [InlineData(MediaTypes.OciManifest, false, true)]
    [InlineData(MediaTypes.DockerManifest, false, true)]
    [InlineData(MediaTypes.OciConfig, false, false)]
    public void Indexes_and_manifests_are_told_apart(string mediaType, bool index, bool manifest)
    {
        Assert.Equal(index, MediaTypes.IsIndex(mediaType));
        Assert.Equal(manifest, MediaTypes.IsManifest(mediaType));
    }
}
