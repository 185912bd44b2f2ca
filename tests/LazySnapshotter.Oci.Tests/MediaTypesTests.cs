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
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", false)]
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

    [Fact]
    public void This_machine_runs_its_own_images()
    {
        Assert.True(Platform.Current.Runs(Platform.Current with { Variant = "v9" }));
        Assert.False(Platform.Current.Runs(Platform.Current with { Os = "windows" }));
        Assert.Equal("linux", Platform.Current.Os);
    }
}
