using System.Text;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.Tests;

// What the kernel keeps, counted in requests.
public sealed class CacheTests
{
    [Fact]
    public async Task A_second_pass_over_everything_asks_nothing()
    {
        var tree = GeneratedTree.Build(seed: 1);
        await using var mount = await TestMount.StartAsync(tree);
        await PassAsync(mount);

        // The kernel may have taken back some pages meanwhile, and asks for these once more: not every time.
        var before = Counts(mount.Session);
        var after = before;
        for (var pass = 0; pass < 5 && (pass == 0 || !after.SequenceEqual(before)); pass++)
        {
            before = after;
            await PassAsync(mount);
            after = Counts(mount.Session);
        }

        Assert.Equal(before, after);
        Assert.Equal(1, mount.Session.CountOf(FuseOpcode.FUSE_OPEN));
        Assert.Equal(1, mount.Session.CountOf(FuseOpcode.FUSE_OPENDIR));
    }

    [Fact]
    public async Task Listing_with_attributes_needs_no_lookups()
    {
        var tree = GeneratedTree.Build(seed: 1);
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Equal(0, (await Tool.RunAsync("find", mount.At("layer/many"), "-size", "+0")).ExitCode);
        Assert.InRange(mount.Session.CountOf(FuseOpcode.FUSE_LOOKUP), 0, 5);
    }

    [Fact]
    public async Task An_absent_name_in_an_immutable_directory_is_asked_for_once()
    {
        var tree = new TestTree();
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Equal(Errno.ENOENT, Libc.TryGetStatus(mount.At(".absent"), out _));
        var asked = mount.Session.CountOf(FuseOpcode.FUSE_LOOKUP);
        for (var i = 0; i < 10; i++)
            Assert.Equal(Errno.ENOENT, Libc.TryGetStatus(mount.At(".absent"), out _));

        Assert.Equal(asked, mount.Session.CountOf(FuseOpcode.FUSE_LOOKUP));
    }

    [Theory]
    [InlineData(FuseInitFlags.None)]
    [InlineData(FuseInitFlags.FUSE_NO_OPEN_SUPPORT | FuseInitFlags.FUSE_NO_OPENDIR_SUPPORT)]
    public async Task A_new_name_in_a_mutable_directory_is_seen_at_once(FuseInitFlags disabled)
    {
        var tree = new TestTree(immutableRoot: false);
        tree.AddDirectory(tree.Root, "1");
        await using var mount = await TestMount.StartAsync(tree, disabled);
        for (var i = 2; i < 20; i++)
        {
            Assert.Equal(i - 1, Directory.GetFileSystemEntries(mount.Directory).Length);
            Assert.Equal(Errno.ENOENT, Libc.TryGetStatus(mount.At($"{i}"), out _));

            tree.AddDirectory(tree.Root, $"{i}");
            tree.Root.Attributes = tree.Root.Attributes with { ModifiedNanoseconds = (uint)i };

            Assert.Equal(Errno.None, Libc.TryGetStatus(mount.At($"{i}"), out _));
            Assert.Equal(i, Directory.GetFileSystemEntries(mount.Directory).Length);
        }
    }

    [Fact]
    public async Task A_removed_name_is_gone_once_it_was_invalidated()
    {
        var tree = new TestTree(immutableRoot: false);
        tree.AddDirectory(tree.Root, "layer");
        tree.AddFile(tree.Root.ByName["layer"], "file", Encoding.UTF8.GetBytes("x"));
        await using var mount = await TestMount.StartAsync(tree);
        Assert.True(File.Exists(mount.At("layer/file")));

        tree.Root.Children.Clear();
        tree.Root.ByName.Clear();
        tree.Root.Attributes = tree.Root.Attributes with { ModifiedNanoseconds = 5 };
        mount.Session.InvalidateEntry(NodeId.Root, "layer"u8);

        Assert.False(File.Exists(mount.At("layer/file")));
        Assert.Empty(Directory.GetFileSystemEntries(mount.Directory));
    }

    [Fact]
    public async Task Invalidating_a_name_the_kernel_never_saw_is_no_error()
    {
        await using var mount = await TestMount.StartAsync(new TestTree(immutableRoot: false));
        mount.Session.InvalidateEntry(NodeId.Root, "never seen"u8);
    }

    // All names, all attributes, all link targets, all contents.
    private static async Task PassAsync(TestMount mount)
    {
        Assert.Equal(0, (await Tool.RunAsync("find", mount.Directory, "-printf", "%s %m %l %T@")).ExitCode);
        Assert.Equal(0, (await Tool.RunAsync("find", mount.Directory, "-type", "f", "-exec", "cat", "{}", "+")).ExitCode);
        Assert.Equal(Errno.ENOENT, Libc.TryGetStatus(mount.At("layer/absent"), out _));
    }

    // STATFS is never cached; find asks for it once to know whether link counts can be trusted.
    private static List<(FuseOpcode Opcode, long Count)> Counts(FuseSession session) =>
        Enum.GetValues<FuseOpcode>()
            .Where(opcode => opcode != FuseOpcode.FUSE_STATFS).Select(opcode => (opcode, session.CountOf(opcode))).ToList();
}
