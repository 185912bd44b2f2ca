using System.Security.Cryptography;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.IntegrationTests;

// The commands that need no containerd, run as a user runs them.
public sealed class CommandTests : IAsyncLifetime
{
    private static readonly TimeSpan MountTimeout = TimeSpan.FromSeconds(60);

    private readonly TestDirectory _directory = TestDirectory.Create();
    private TestImage _image = null!;
    private TestRegistry _registry = null!;

    private string Root => _directory.Combine("root");

    public async Task InitializeAsync()
    {
        _image = await TestImages.Quirks;
        _registry = await TestRegistry.StartAsync();
        _registry.Content.AddLayout("quirks", _image.LayoutPath);
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _directory.DisposeAsync();
    }

    [Fact]
    public async Task Mount_shows_the_tree_that_overlayfs_shows_and_goes_away_on_ctrl_C()
    {
        var reference = _registry.Reference("quirks").ToString();
        await using var containerd = await ContainerdProcess.StartAsync();
        await containerd.PullAsync(reference, "overlayfs");
        await using var unpacked = await containerd.MountImageAsync(_image, "overlayfs");
        var target = _directory.MakeDirectory("mnt");

        await using var mount = BackgroundProcess.Start(LazysnapProcess.ProgramPath, ["mount", "--root", Root, reference, target]);
        await mount.WaitUntilAsync("mounted", () => Task.FromResult(mount.Log.Contains("Ctrl-C", StringComparison.Ordinal)), MountTimeout);
        var differences = TreeComparer.Compare(Tree.Read(unpacked.Path), Tree.Read(target), _image.DirectoriesWithoutRecordedTime);
        Assert.True(differences.Count == 0, string.Join('\n', differences.Take(40)));

        Assert.Equal(0, await mount.StopAsync(TimeSpan.FromSeconds(20)));
        Assert.Empty(Directory.GetFileSystemEntries(target));
    }

    [Fact]
    public async Task Ls_and_cat_fetch_only_what_they_show()
    {
        var reference = _registry.Reference("quirks").ToString();
        (await LazysnapProcess.RunAsync("index", "build", "--root", Root, reference)).Checked();
        _registry.ClearLog();

        var listed = (await LazysnapProcess.RunAsync("ls", "--root", Root, reference, "/etc")).Checked();
        Assert.Contains("os-release\n", listed.Output, StringComparison.Ordinal);
        Assert.Equal(0, _registry.Count(TestRequestKind.Blob));

        var shown = (await LazysnapProcess.RunAsync("cat", "--root", Root, reference, "/etc/os-release")).Checked();
        Assert.Contains("bookworm", shown.Output, StringComparison.Ordinal);
        Assert.InRange(_registry.BytesSent, 1, 1_500_000);

        var absent = await LazysnapProcess.RunAsync("cat", "--root", Root, reference, "/etc/nothing");
        Assert.Equal(1, absent.ExitCode);
        Assert.Contains("/etc/nothing", absent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_of_a_file_is_the_index_of_the_registrys_blob_to_the_byte()
    {
        var layer = _image.Layers[0];
        var blob = Path.Combine(_image.LayoutPath, "blobs", "sha256", layer.Digest.Hex);
        var file = _directory.Combine("one.lsi");
        (await LazysnapProcess.RunAsync("index", "build", "--blob", blob, "-o", file)).Checked();
        (await LazysnapProcess.RunAsync("index", "build", "--root", Root, _registry.Reference("quirks").ToString())).Checked();

        var stored = IndexFiles.Of(Root, layer.Digest);
        Assert.Equal(SHA256.HashData(await File.ReadAllBytesAsync(file)), SHA256.HashData(await File.ReadAllBytesAsync(stored)));
        var shown = (await LazysnapProcess.RunAsync("index", "show", file)).Checked();
        Assert.Contains(layer.Digest.ToString(), shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_corrupt_blob_is_refused_with_the_place_where_it_breaks()
    {
        var blob = await File.ReadAllBytesAsync(Path.Combine(_image.LayoutPath, "blobs", "sha256", _image.Layers[0].Digest.Hex));
        blob[blob.Length / 2] ^= 1;
        var file = _directory.Combine("corrupt.gz");
        await File.WriteAllBytesAsync(file, blob);

        var built = await LazysnapProcess.RunAsync("index", "build", "--blob", file, "-o", _directory.Combine("x.lsi"));
        Assert.Equal(1, built.ExitCode);
        Assert.Contains("offset", built.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory.Combine("x.lsi")));
    }

    [Fact]
    public async Task Doctor_reports_a_missing_containerd_and_wrong_usage_is_exit_code_2()
    {
        var doctor = await LazysnapProcess.RunAsync("doctor", "--root", Root, "--containerd", _directory.Combine("none.sock"));
        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("missing", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("/dev/fuse", doctor.Output, StringComparison.Ordinal);

        Assert.Equal(2, (await LazysnapProcess.RunAsync("pull")).ExitCode);
        Assert.Equal(2, (await LazysnapProcess.RunAsync("nonsense")).ExitCode);
        Assert.Equal(1, (await LazysnapProcess.RunAsync("ls", "UPPER case")).ExitCode);
        Assert.Equal(0, (await LazysnapProcess.RunAsync("index", "build", "--help")).ExitCode);
    }
}
