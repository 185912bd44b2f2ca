namespace LazySnapshotter.Oci.Tests;

// The names platforms have, and who runs what: row by row as containerd's package platforms has it.
public sealed class PlatformTests
{
    [Theory]
    [InlineData("linux", "x86_64", null, "linux/amd64")]
    [InlineData("linux", "x86-64", null, "linux/amd64")]
    [InlineData("Linux", "AMD64", "", "linux/amd64")]
    [InlineData("linux", "amd64", "v1", "linux/amd64")]
    [InlineData("linux", "amd64", "V3", "linux/amd64/v3")]
    [InlineData("linux", "amd64", "1", "linux/amd64/1")]
    [InlineData("linux", "i386", "v7", "linux/386")]
    [InlineData("linux", "i686", null, "linux/i686")]
    [InlineData("linux", "aarch64", null, "linux/arm64")]
    [InlineData("linux", "arm64", "v8", "linux/arm64")]
    [InlineData("linux", "ARM64", "8", "linux/arm64")]
    [InlineData("linux", "arm64", "v9", "linux/arm64/v9")]
    [InlineData("linux", "armhf", null, "linux/arm/v7")]
    [InlineData("linux", "armel", null, "linux/arm/v6")]
    [InlineData("linux", "arm", null, "linux/arm/v7")]
    [InlineData("linux", "arm", "5", "linux/arm/v5")]
    [InlineData("linux", "arm", "6", "linux/arm/v6")]
    [InlineData("linux", "arm", "7", "linux/arm/v7")]
    [InlineData("linux", "arm", "V8", "linux/arm/v8")]
    [InlineData("macOS", "amd64", null, "darwin/amd64")]
    [InlineData("", "amd64", null, "linux/amd64")]
    [InlineData("unknown", "unknown", null, "unknown/unknown")]
    [InlineData("linux", "", null, "linux/")]
    public void A_platform_has_one_name_among_many(string os, string architecture, string? variant, string name) =>
        Assert.Equal(name, new Platform { Os = os, Architecture = architecture, Variant = variant }.Normalized().ToString());

    [Theory]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("Linux/x86_64", "linux/amd64")]
    [InlineData("linux/arm/v6", "linux/arm/v6")]
    [InlineData("linux/arm64/v8", "linux/arm64")]
    [InlineData("aarch64", "linux/arm64")]
    [InlineData("armhf", "linux/arm/v7")]
    [InlineData("riscv64", "linux/riscv64")]
    [InlineData("any/thing", "any/thing")]
    public void Platforms_are_understood_by_any_of_their_names(string text, string platform) =>
        Assert.Equal(platform, Platform.Parse(text).ToString());

    [Fact]
    public void A_system_alone_means_this_machine_s_architecture() =>
        Assert.Equal($"windows/{Platform.Current.Architecture}", Platform.Parse("Windows").ToString());

    [Theory]
    [InlineData("")]
    [InlineData("i686")]
    [InlineData("linux/")]
    [InlineData("/amd64")]
    [InlineData("linux/*")]
    [InlineData("linux/amd64/v1/x")]
    public void What_is_no_platform_is_refused(string text) => Assert.Throws<FormatException>(() => Platform.Parse(text));

    [Theory]
    [InlineData("linux/amd64", "linux/amd64", "linux/386")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386")]
    [InlineData("linux/386", "linux/386")]
    [InlineData("linux/arm64", "linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5")]
    [InlineData("linux/arm/v7", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5")]
    [InlineData("linux/arm/v5", "linux/arm/v5")]
    [InlineData("linux/s390x", "linux/s390x")]
    public void A_machine_runs_its_own_images_first_and_those_of_older_ones(string machine, params string[] images)
    {
        for (var rank = 0; rank < images.Length; rank++)
            Assert.Equal(rank, Platform.Parse(machine).RankOf(Platform.Parse(images[rank])));
        foreach (var other in ((string[])["linux/amd64/v4", "windows/amd64", "linux/arm64/v9", "linux/ppc64le", "linux/arm/v9"])
            .Except(images))
            Assert.Null(Platform.Parse(machine).RankOf(Platform.Parse(other)));
    }

    [Fact]
    public void Versions_and_features_of_a_system_do_not_count_here() =>
        Assert.True(Platform.Current.Runs(Platform.Current with { OsVersion = "10.0", OsFeatures = ["win32k"] }));

    [Fact]
    public void This_machine_runs_linux() => Assert.Equal("linux", Platform.Current.Os);
}
