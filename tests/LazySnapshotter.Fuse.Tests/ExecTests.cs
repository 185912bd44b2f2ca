using System.Text;

namespace LazySnapshotter.Fuse.Tests;

// Programs that live on the mount: what containers do all day.
public sealed class ExecTests
{
    // Any user but root; nothing needs to exist under these numbers.
    private const uint Owner = 77;
    private const string Nobody = "65534";

    [Fact]
    public async Task A_static_program_runs()
    {
        var tree = new TestTree();
        tree.AddFile(tree.Root, "program", MachineCode.ExitWithEffectiveUserId(), 0x1ED);
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Equal(0, (await Tool.RunAsync(mount.At("program"))).ExitCode);
    }

    [Fact]
    public async Task A_setuid_program_runs_as_its_owner()
    {
        var tree = new TestTree();
        var program = tree.AddFile(tree.Root, "program", MachineCode.ExitWithEffectiveUserId(), 0x9ED);
        program.Attributes = program.Attributes with { Uid = Owner };
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Equal((int)Owner, (await Tool.RunAsync(mount.At("program"))).ExitCode);
    }

    [Fact]
    public async Task A_dynamic_program_runs_with_its_libraries_from_the_mount()
    {
        var tree = new TestTree();
        var loader = await AddWithLibrariesAsync(tree, "/bin/cat");
        tree.AddFile(tree.Root, "text", Encoding.UTF8.GetBytes("mapped\n"));
        await using var mount = await TestMount.StartAsync(tree);

        var (exitCode, output) = await Tool.RunAsync(
            mount.At(loader), "--library-path", mount.Directory, mount.At("cat"), mount.At("text"), "/proc/self/maps");

        Assert.Equal(0, exitCode);
        Assert.StartsWith("mapped\n", output);
        Assert.Contains(mount.At("libc.so.6"), output);
    }

    [Fact]
    public async Task A_file_capability_is_granted()
    {
        var tree = new TestTree();
        var cat = tree.AddFile(tree.Root, "cat", await File.ReadAllBytesAsync("/bin/cat"), 0x1ED);
        cat.Xattrs["security.capability"] = GeneratedTree.NetRawCapability;
        await using var mount = await TestMount.StartAsync(tree);

        var (exitCode, output) = await AsNobodyAsync(mount.At("cat"), "/proc/self/status");

        Assert.Equal(0, exitCode);
        Assert.Contains("CapEff:\t0000000000002000", output);
    }

    [Fact]
    public async Task Permissions_are_checked_for_other_users()
    {
        var tree = new TestTree();
        tree.AddFile(tree.Root, "public", Encoding.UTF8.GetBytes("public"), 0x1A4);
        tree.AddFile(tree.Root, "private", Encoding.UTF8.GetBytes("private"), 0x180);
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Equal((0, "public"), await AsNobodyAsync("cat", mount.At("public")));
        Assert.Contains("Permission denied", (await AsNobodyAsync("cat", mount.At("private"))).Output);
    }

    private static Task<(int ExitCode, string Output)> AsNobodyAsync(params string[] command) =>
        Tool.RunAsync("setpriv", ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", "--bounding-set=+all", .. command]);

    // Puts a program and what ldd(1) says it needs into the root; gives back the loader's name.
    private static async Task<string> AddWithLibrariesAsync(TestTree tree, string program)
    {
        tree.AddFile(tree.Root, Path.GetFileName(program), await File.ReadAllBytesAsync(program), 0x1ED);
        var loader = "";
        var (_, needed) = await Tool.RunAsync("ldd", program);
        foreach (var line in needed.Split('\n').Where(line => line.Contains('/')))
        {
            var path = line[line.IndexOf('/')..].Split(' ')[0];
            tree.AddFile(tree.Root, Path.GetFileName(path), await File.ReadAllBytesAsync(path), 0x1ED);
            if (Path.GetFileName(path).StartsWith("ld-", StringComparison.Ordinal))
                loader = Path.GetFileName(path);
        }

        return loader;
    }
}
