using LazySnapshotter.Artifacts.Sources;

namespace LazySnapshotter.Artifacts.Tests.Sources;

public sealed class ImageSourceNameTests
{
    [Theory]
    [InlineData("python", ImageSourceKind.Registry, null, "docker.io/library/python:latest")]
    [InlineData("docker://host:5000/a/b:1", ImageSourceKind.Registry, null, "host:5000/a/b:1")]
    [InlineData("oci:/images/x", ImageSourceKind.OciLayout, "/images/x", null)]
    [InlineData("oci:/images/x:1.2", ImageSourceKind.OciLayout, "/images/x", "1.2")]
    [InlineData("oci:/with:colon/x", ImageSourceKind.OciLayout, "/with:colon/x", null)]
    [InlineData("oci-archive:x.tar:v1", ImageSourceKind.OciArchive, "x.tar", "v1")]
    [InlineData("docker-archive:x.tar", ImageSourceKind.DockerArchive, "x.tar", null)]
    [InlineData("docker-archive:/dev/null:busybox:1", ImageSourceKind.DockerArchive, "/dev/null", "busybox:1")]
    [InlineData("containerd:busybox:1", ImageSourceKind.Containerd, null, "busybox:1")]
    public void A_source_is_written_as_skopeo_writes_it(string text, ImageSourceKind kind, string? path, string? reference)
    {
        var name = ImageSourceName.Parse(text);
        Assert.Equal((kind, path, reference), (name.Kind, name.Path, name.Reference));
    }

    [Fact]
    public void A_layout_can_be_asked_for_a_digest()
    {
        var digest = "sha256:" + new string('a', 64);
        var name = ImageSourceName.Parse($"oci:/images/x@{digest}");
        Assert.Equal(("/images/x", digest), (name.Path, name.Digest.ToString()));
    }

    [Theory]
    [InlineData("oci:")]
    [InlineData("containerd:")]
    [InlineData("docker-archive:")]
    [InlineData("http://host/image")]
    [InlineData("Not A Reference")]
    public void What_names_no_source_is_refused(string text) => Assert.Throws<FormatException>(() => ImageSourceName.Parse(text));

    [Theory]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("Linux/x86_64", "linux/amd64")]
    [InlineData("linux/aarch64", "linux/arm64")]
    [InlineData("linux/arm/v7", "linux/arm/v7")]
    public void Platforms_are_written_in_go_names_and_understood_in_others(string text, string platform) =>
        Assert.Equal(platform, Assert.Single(PlatformSelection.Parse([text]).Platforms).ToString());

    [Theory]
    [InlineData("unheard-of")]
    [InlineData("linux/")]
    [InlineData("a/b/c/d")]
    [InlineData("linux/am d64")]
    public void What_is_no_platform_is_refused(string text) => Assert.Throws<FormatException>(() => PlatformSelection.Parse([text]));
}
