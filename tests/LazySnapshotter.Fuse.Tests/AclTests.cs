using System.Globalization;
using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse.Tests;

// POSIX ACLs decide who may do what on a mount, as they do on a disk.
public sealed class AclTests
{
    private const uint NamedUser = 1234;
    private const uint OtherUser = 1235;

    // user::rw- user:1234:r-- group::--- mask::r-- other::---
    private static readonly byte[] Grant = Convert.FromHexString(
        "02000000" + "01000600FFFFFFFF" + "02000400D2040000" + "04000000FFFFFFFF" + "10000400FFFFFFFF" + "20000000FFFFFFFF");

    // user::rwx user:1234:--- group::r-x mask::r-x other::r-x
    private static readonly byte[] Deny = Convert.FromHexString(
        "02000000" + "01000700FFFFFFFF" + "02000000D2040000" + "04000500FFFFFFFF" + "10000500FFFFFFFF" + "20000500FFFFFFFF");

    [Fact]
    public async Task An_acl_lets_one_more_user_read_and_keeps_another_out()
    {
        await using var mount = await TestMount.StartAsync(AclTree());

        Assert.True(await CanReadAsync(NamedUser, mount.At("granted")));
        Assert.False(await CanReadAsync(OtherUser, mount.At("granted")));
        Assert.False(await CanReadAsync(NamedUser, mount.At("closed/file")));
        Assert.True(await CanReadAsync(OtherUser, mount.At("closed/file")));
    }

    [Fact]
    public async Task A_kernel_without_acls_goes_by_the_mode()
    {
        await using var mount = await TestMount.StartAsync(AclTree(), FuseInitFlags.FUSE_POSIX_ACL);

        Assert.False(await CanReadAsync(NamedUser, mount.At("granted")));
        Assert.True(await CanReadAsync(NamedUser, mount.At("closed/file")));
    }

    [Fact]
    public async Task An_inode_is_asked_for_its_acl_once_and_only_for_users_who_do_not_own_it()
    {
        var tree = AclTree();
        await using var mount = await TestMount.StartAsync(tree);
        Assert.True(await CanReadAsync(0, mount.At("open/plain")));
        Assert.Empty(tree.XattrsAsked);

        foreach (var user in (uint[])[NamedUser, OtherUser, NamedUser])
            Assert.True(await CanReadAsync(user, mount.At("open/plain")));

        // The root of a FUSE mount is asked again and again; nothing in a container leads through it, overlayfs starts below.
        var directory = tree.Root.ByName["open"];
        var asked = tree.XattrsAsked.Where(question => question.Node != tree.Root.Id).ToList();
        Assert.Equal([(directory.Id, "system.posix_acl_access"), (directory.ByName["plain"].Id, "system.posix_acl_access")], asked);
    }

    // As a container has it: overlayfs checks with its own inodes, which ask the layer's for the ACL, and copies it up with the file.
    [Fact]
    public async Task An_acl_decides_through_overlayfs_before_and_after_copy_up_and_is_inherited()
    {
        await using var mount = await TestMount.StartAsync(AclTree());
        var work = Directory.CreateTempSubdirectory("acl-");
        var (upper, scratch, merged) = (
            work.CreateSubdirectory("upper"), work.CreateSubdirectory("work"), work.CreateSubdirectory("merged"));
        string At(string path) => Path.Combine(merged.FullName, path);
        foreach (var directory in (DirectoryInfo[])[work, upper])
            File.SetUnixFileMode(directory.FullName, (UnixFileMode)0x1ED); // 0755
        var options = $"lowerdir={mount.At("")},upperdir={upper.FullName},workdir={scratch.FullName}";
        await RunAsync("mount", "-t", "overlay", "overlay", "-o", options, merged.FullName);
        try
        {
            async Task CheckAsync()
            {
                Assert.True(await CanReadAsync(NamedUser, At("granted")));
                Assert.False(await CanReadAsync(OtherUser, At("granted")));
                Assert.False(await CanReadAsync(NamedUser, At("closed/file")));
                Assert.True(await CanReadAsync(OtherUser, At("closed/file")));
            }

            await CheckAsync();
            File.SetLastWriteTimeUtc(At("granted"), DateTime.UnixEpoch); // copies the file up
            Directory.SetLastWriteTimeUtc(At("closed"), DateTime.UnixEpoch);
            Assert.True(File.Exists(Path.Combine(upper.FullName, "granted")) && Directory.Exists(Path.Combine(upper.FullName, "closed")));
            await CheckAsync();

            await File.WriteAllTextAsync(At("giving/new"), "x");
            File.SetUnixFileMode(At("giving/new"), (UnixFileMode)0x1A0); // 0640: the mask lets the named user read
            Assert.True(await CanReadAsync(NamedUser, At("giving/new")));
            Assert.False(await CanReadAsync(OtherUser, At("giving/new")));
        }
        finally
        {
            await RunAsync("umount", merged.FullName);
            work.Delete(recursive: true);
        }
    }

    private static TestTree AclTree()
    {
        var tree = new TestTree();
        tree.AddFile(tree.Root, "granted", "x"u8.ToArray(), 0x1A0).Xattrs["system.posix_acl_access"] = Grant; // 0640
        var closed = tree.AddDirectory(tree.Root, "closed");
        closed.Xattrs["system.posix_acl_access"] = Deny;
        tree.AddFile(closed, "file", "x"u8.ToArray());
        tree.AddFile(tree.AddDirectory(tree.Root, "open"), "plain", "x"u8.ToArray());
        tree.AddDirectory(tree.Root, "giving").Xattrs["system.posix_acl_default"] = Grant;
        return tree;
    }

    private static async Task RunAsync(string tool, params string[] arguments)
    {
        var (exitCode, output) = await Tool.RunAsync(tool, arguments);
        Assert.True(exitCode == 0, output);
    }

    private static async Task<bool> CanReadAsync(uint user, string path)
    {
        var id = user.ToString(CultureInfo.InvariantCulture);
        var (exitCode, output) = await Tool.RunAsync("setpriv", "--reuid", id, "--regid", id, "--clear-groups", "cat", path);
        Assert.True(exitCode == 0 ? output == "x" : output.Contains("Permission denied", StringComparison.Ordinal), output);
        return exitCode == 0;
    }
}
