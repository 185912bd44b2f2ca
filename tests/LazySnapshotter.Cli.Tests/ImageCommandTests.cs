using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Cli.Tests;

// ls, cat and mount of images that are unlike most.
public sealed class ImageCommandTests : ProgramTest
{
    private static readonly TimeSpan MountTimeout = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task An_image_without_layers_is_an_empty_directory()
    {
        foreach (var path in new[] { "", "/", "-lR" })
        {
            var listed = await ShellAsync($"$LZ ls --root $D/root $EMPTY {path}");
            Assert.Equal((0, "", ""), (listed.ExitCode, listed.Output, listed.Error));
        }

        Assert.Equal(1, (await ShellAsync("$LZ ls --root $D/root $EMPTY /etc")).ExitCode);
        Assert.Contains(
            "/etc: no such file or directory", (await ShellAsync("$LZ cat --root $D/root $EMPTY /etc")).Error, StringComparison.Ordinal);
        Assert.Contains("/: not a regular file", (await ShellAsync("$LZ cat --root $D/root $EMPTY /")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_without_layers_mounts_as_an_empty_directory()
    {
        await using var mount = await MountAsync(
            "mount", "--root", Directory.Combine("root"), $"{Registry.Host}/empty:1", Directory.Combine("dir"));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(Directory.Combine("dir")));
        Assert.Equal("755 0 0 overlay", (await ShellAsync("echo $(stat -c '%a %u %g' $D/dir) $(stat -f -c %T $D/dir)")).Output.Trim()
            .Replace("overlayfs", "overlay", StringComparison.Ordinal));
        Assert.Equal(0, await mount.StopAsync(TimeSpan.FromSeconds(20)));
    }

    [Theory]
    [InlineData("linux/amd64", "amd64\n")]
    [InlineData("linux/arm64", "arm64\n")]
    public async Task The_platform_that_is_named_is_the_one_that_is_shown(string platform, string content)
    {
        Assert.Equal(content, (await ShellAsync($"$LZ cat --root $D/root --platform {platform} $BOTH /etc/arch")).Output);
        Assert.Equal("arch\n", (await ShellAsync($"$LZ ls --root $D/root --platform {platform} $BOTH /etc")).Output);
        await using var mount = await MountAsync(
            "mount", "--root", Directory.Combine("root"), "--platform", platform, $"{Registry.Host}/both:1", Directory.Combine("dir"));
        Assert.Equal(content, await File.ReadAllTextAsync(Directory.Combine("dir", "etc", "arch")));
        Assert.Equal(0, await mount.StopAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_platform_the_image_does_not_have_is_an_error_that_names_it()
    {
        var listed = await ShellAsync("$LZ ls --root $D/root --platform linux/s390x $BOTH");
        Assert.Equal(1, listed.ExitCode);
        Assert.Contains("linux/s390x", listed.Error, StringComparison.Ordinal);
    }

    private static async Task<BackgroundProcess> MountAsync(params string[] arguments)
    {
        var mount = BackgroundProcess.Start(LazysnapProcess.ProgramPath, arguments);
        await mount.WaitUntilAsync("mounted", () => Task.FromResult(mount.Log.Contains("Ctrl-C", StringComparison.Ordinal)), MountTimeout);
        return mount;
    }
}
