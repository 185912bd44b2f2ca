using System.Text;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.Tests;

// overlayfs with two layers of one mount below it, as a container has it.
public sealed class OverlayTests
{
    [Theory]
    [InlineData(FuseInitFlags.None)]
    [InlineData((FuseInitFlags)ulong.MaxValue)]
    public async Task Whiteouts_and_opaque_directories_hide_what_is_below(FuseInitFlags disabled)
    {
        var tree = LayerTree();
        await using var mount = await TestMount.StartAsync(tree, disabled);
        await using var overlay = new Overlay(mount);

        Assert.Equal(["opaque", "removed-later", "stays"], Names(overlay.Directory));
        Assert.Equal(["upper"], Names(Path.Combine(overlay.Directory, "opaque")));
        Assert.Equal("lower", await File.ReadAllTextAsync(Path.Combine(overlay.Directory, "stays")));
        Assert.Equal(Errno.ENOENT, Libc.TryGetStatus(Path.Combine(overlay.Directory, "removed"), out _));
    }

    [Fact]
    public async Task A_file_is_copied_up_with_everything_it_has()
    {
        var tree = LayerTree();
        var file = tree.Root.ByName["1"].ByName["stays"];
        file.Attributes = file.Attributes with { Mode = 0x89ED, Uid = 12, Gid = 34 };
        file.Xattrs["security.capability"] = GeneratedTree.NetRawCapability;
        file.Xattrs["user.note"] = [1, 2];
        await using var mount = await TestMount.StartAsync(tree);
        await using var overlay = new Overlay(mount);
        var path = Path.Combine(overlay.Directory, "stays");

        Assert.Equal(GeneratedTree.NetRawCapability, Libc.GetXattr(path, "security.capability"));
        Libc.SetXattr(path, "user.added", [7]);

        Assert.True(File.Exists(Path.Combine(overlay.Upper, "stays")));
        Assert.Equal("lower", await File.ReadAllTextAsync(path));
        var status = Libc.GetStatus(path);
        Assert.Equal((0x89EDu, 12u, 34u, file.Attributes.ModifiedSeconds), (status.Mode, status.Uid, status.Gid, status.ModifiedSeconds));
        Assert.Equal(GeneratedTree.NetRawCapability, Libc.GetXattr(path, "security.capability"));
        Assert.Equal([1, 2], Libc.GetXattr(path, "user.note"));
    }

    [Fact]
    public async Task Names_can_be_added_and_removed_on_top()
    {
        await using var mount = await TestMount.StartAsync(LayerTree());
        await using var overlay = new Overlay(mount);

        File.Delete(Path.Combine(overlay.Directory, "removed-later"));
        await File.WriteAllTextAsync(Path.Combine(overlay.Directory, "opaque", "new"), "new");

        Assert.Equal(["opaque", "stays"], Names(overlay.Directory));
        Assert.Equal(["new", "upper"], Names(Path.Combine(overlay.Directory, "opaque")));
    }

    [Fact]
    public async Task A_device_node_works()
    {
        var tree = LayerTree();
        tree.AddSpecial(tree.Root.ByName["2"], "zero", FileType.S_IFCHR, 1, 5);
        await using var mount = await TestMount.StartAsync(tree);
        await using var overlay = new Overlay(mount);

        var (exitCode, output) = await Tool.RunAsync("head", "-c", "3", Path.Combine(overlay.Directory, "zero"));
        Assert.Equal((0, "\0\0\0"), (exitCode, output));
    }

    [Fact]
    public async Task Inode_flags_can_be_asked_for_and_there_are_none()
    {
        await using var mount = await TestMount.StartAsync(LayerTree());
        await using var overlay = new Overlay(mount);

        var merged = overlay.Directory;
        foreach (var path in (string[])[mount.At("1/stays"), Path.Combine(merged, "stays"), Path.Combine(merged, "opaque")])
        {
            var (exitCode, output) = await Tool.RunAsync("lsattr", "-d", path);
            Assert.Equal(0, exitCode);
            Assert.Matches("^-+ ", output);
        }

        Libc.SetXattr(Path.Combine(overlay.Directory, "stays"), "user.copied-up", [1]);
        Assert.True(File.Exists(Path.Combine(overlay.Upper, "stays")));
    }

    [Fact]
    public async Task A_program_in_a_lower_layer_runs()
    {
        var tree = LayerTree();
        tree.AddFile(tree.Root.ByName["1"], "program", MachineCode.ExitWithEffectiveUserId(), 0x1ED);
        await using var mount = await TestMount.StartAsync(tree);
        await using var overlay = new Overlay(mount);

        Assert.Equal(0, (await Tool.RunAsync(Path.Combine(overlay.Directory, "program"))).ExitCode);
    }

    private static List<string> Names(string directory) =>
        [.. Directory.GetFileSystemEntries(directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    // Layer 2 lies on layer 1.
    private static TestTree LayerTree()
    {
        var tree = new TestTree(immutableRoot: false);
        var lower = tree.AddDirectory(tree.Root, "1");
        tree.AddFile(lower, "stays", Encoding.UTF8.GetBytes("lower"));
        tree.AddFile(lower, "removed", []);
        tree.AddFile(lower, "removed-later", []);
        tree.AddFile(tree.AddDirectory(lower, "opaque"), "lower", []);

        var upper = tree.AddDirectory(tree.Root, "2");
        tree.AddSpecial(upper, "removed", FileType.S_IFCHR);
        var opaque = tree.AddDirectory(upper, "opaque");
        opaque.Xattrs["trusted.overlay.opaque"] = "y"u8.ToArray();
        tree.AddFile(opaque, "upper", []);
        return tree;
    }

    // The writable part is on a tmpfs of its own: the machine's temporary directory may itself be an overlay.
    private sealed class Overlay : IAsyncDisposable
    {
        private readonly string _writable;

        public Overlay(TestMount mount)
        {
            _writable = Path.Combine(mount.Scratch, "writable");
            System.IO.Directory.CreateDirectory(_writable);
            Libc.Mount("tmpfs", _writable, "tmpfs", MountFlags.None, "");
            foreach (var directory in (ReadOnlySpan<string>)[Directory, Upper, Path.Combine(_writable, "work")])
                System.IO.Directory.CreateDirectory(directory);
            Libc.Mount("overlay", Directory, "overlay", MountFlags.None,
                $"lowerdir={mount.At("2")}:{mount.At("1")},upperdir={Upper},workdir={_writable}/work");
        }

        public string Directory => Path.Combine(_writable, "merged");

        public string Upper => Path.Combine(_writable, "upper");

        public ValueTask DisposeAsync()
        {
            Assert.Equal(Errno.None, Libc.Unmount(Directory, UnmountFlags.UMOUNT_NOFOLLOW));
            Assert.Equal(Errno.None, Libc.Unmount(_writable, UnmountFlags.UMOUNT_NOFOLLOW));
            return ValueTask.CompletedTask;
        }
    }
}
