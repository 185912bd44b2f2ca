using LazySnapshotter.Linux;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.IntegrationTests.Harness;

// A comparison that overlooks something would make every test of tree equality worthless. Each case makes two equal
// trees, changes one thing in one of them, and must hear of exactly that.
public sealed class TreeComparerTests : IAsyncLifetime
{
    private readonly TestDirectory _directory = TestDirectory.Create();

    public static TheoryData<string, string> Changes => new()
    {
        { "true", "" },
        { "chmod 4755 file", "/file: Mode" },
        { "chown 1 file", "/file: Owner" },
        { "chown -h 1 link", "/link: Owner" },
        { "touch -d @1.000000001 file", "/file: ModificationTime" },
        { "touch -h -d @2 link", "/link: ModificationTime" },
        { "touch -d @2 folder", "/folder: ModificationTime" },
        { "printf other > file; touch -d @1 file", "/file: Content" },
        { "printf longer > file; touch -d @1 file", "/file: Size, /file: Content" },
        { "ln -sfn there link; touch -h -d @1 link", "/link: LinkTarget" },
        { "ln -sfn other/place link; touch -h -d @1 link", "/link: Size, /link: LinkTarget" },
        { "cp --remove-destination -p name-1 name-2", "/name-1: LinkCount, /name-2: LinkCount, /name-2: HardLinks" },
        { "rm device; mknod -m 600 device c 1 5; touch -d @1 device", "/device: DeviceNumber" },
        { "rm device; mknod -m 600 device b 1 3; touch -d @1 device", "/device: type" },
        { "python3 -c 'import os; os.setxattr(\"file\", \"user.x\", b\"other\")'", "/file: Xattrs" },
        { "python3 -c 'import os; os.removexattr(\"file\", \"user.x\")'", "/file: Xattrs" },
        { "rm folder/inside; touch -d @1 folder", "/folder/inside: existence" },
        { "touch new; touch -d @1 .", "/new: existence" },
        { "printf x > folder/$(printf '\\351'); touch -d @1 folder", "/folder/\\xe9: existence" },
        { "rm fifo; printf x > fifo; touch -d @1 fifo", "/fifo: type" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Every_difference_is_found_and_only_that(string change, string found)
    {
        const string Make = """
            printf equal > file; python3 -c 'import os; os.setxattr("file", "user.x", b"value")'
            printf linked > name-1; ln name-1 name-2; mkdir folder; printf x > folder/inside
            ln -s where link; mknod -m 600 device c 1 3; mkfifo fifo
            find . -exec touch -h -d @1 {} +
            """;
        var expected = _directory.MakeDirectory("expected");
        var actual = _directory.MakeDirectory("actual");
        await ShellAsync(expected, Make);
        await ShellAsync(actual, Make);
        await ShellAsync(actual, change + "; touch -d @1 .");

        var differences = TreeComparer.Compare(Tree.Read(expected), Tree.Read(actual));

        Assert.Equal(found, string.Join(", ", differences.Select(difference => difference.ToString().Split(": expected")[0])));
    }

    [Fact]
    public async Task A_directorys_time_may_differ_where_it_was_said_to()
    {
        var expected = _directory.MakeDirectory("expected");
        var actual = _directory.MakeDirectory("actual");
        await ShellAsync(expected, "mkdir folder; touch -d @1 folder .");
        await ShellAsync(actual, "mkdir folder; touch -d @2 folder .");

        var differences = TreeComparer.Compare(Tree.Read(expected), Tree.Read(actual), new HashSet<LinuxPath> { "/" });

        Assert.Equal("/folder: ModificationTime: expected 1.000000000, actual 2.000000000", Assert.Single(differences).ToString());
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _directory.DisposeAsync();

    private static async Task ShellAsync(string folder, string script) =>
        (await ProcessRunner.RunAsync("sh", ["-ec", $"cd {folder}; {script}"])).Checked();
}
