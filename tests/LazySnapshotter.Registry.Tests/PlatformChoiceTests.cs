using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;

namespace LazySnapshotter.Registry.Tests;

// Which entry of an index is taken for linux/amd64, as `ctr images pull` takes it.
public sealed class PlatformChoiceTests
{
    private static readonly Platform _wanted = Platform.Parse("linux/amd64");

    [Theory]
    [InlineData(1, "linux/arm64", "linux/x86_64")]
    [InlineData(1, "linux/arm64", "Linux/AMD64")]
    [InlineData(0, "/amd64")]
    [InlineData(0, "linux/amd64/v1", "linux/amd64")]
    [InlineData(1, "linux/amd64/v3", "linux/amd64")]
    [InlineData(1, "linux/i386", "linux/x86-64")]
    [InlineData(1, "linux/arm64", "linux/386")]
    [InlineData(1, "unknown/unknown", "linux/amd64")]
    [InlineData(1, null, "linux/amd64")]
    [InlineData(1, "linux/arm64", null)]
    [InlineData(0, null, null)]
    public void The_best_entry_is_taken(int taken, params string?[] platforms)
    {
        var index = IndexOf(platforms);
        Assert.Same(index.Manifests[taken], PlatformChoice.Of(index, _wanted, "it"));
    }

    [Theory]
    [InlineData("it: nothing for linux/amd64, only for linux/arm64, windows/amd64", "linux/arm64", "windows/amd64")]
    [InlineData("it: nothing for linux/amd64, only for linux/amd64/v2", "linux/amd64/v2")]
    [InlineData("it: nothing for linux/amd64, only for linux/i686, unknown/unknown", "linux/i686", "unknown/unknown")]
    [InlineData("it: nothing for linux/amd64, the index is empty")]
    public void What_there_is_instead_is_said(string message, params string[] platforms) =>
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => PlatformChoice.Of(IndexOf(platforms), _wanted, "it")).Message);

    [Fact]
    public void Entries_that_cannot_be_used_are_explained_where_they_are_missed()
    {
        var index = IndexOf("linux/arm64") with { Unusable = ["it: manifest 1: the descriptor's size is -1"] };
        var error = Assert.Throws<InvalidDataException>(() => PlatformChoice.Of(index, _wanted, "it"));
        Assert.Equal("it: nothing for linux/amd64, only for linux/arm64; it: manifest 1: the descriptor's size is -1", error.Message);
    }

    [Fact]
    public void Signatures_without_a_platform_come_after_images_without_one()
    {
        var index = IndexOf(null, null);
        index = index with { Manifests = [index.Manifests[0] with { ArtifactType = "application/vnd.acme" }, index.Manifests[1]] };
        Assert.Same(index.Manifests[1], PlatformChoice.Of(index, _wanted, "it"));
    }

    private static ImageIndex IndexOf(params string?[] platforms) => new()
    {
        Manifests = [.. platforms.Select((text, i) => new Descriptor
        {
            MediaType = MediaTypes.OciManifest,
            Digest = Digest.OfSha256([(byte)i]),
            Size = i,
            Platform = text?.Split('/') is not { } parts ? null
                : new Platform { Os = parts[0], Architecture = parts[1], Variant = parts.ElementAtOrDefault(2) },
        })],
    };
}
