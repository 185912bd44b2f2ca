using System.Text;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;
using Xunit.Abstractions;

namespace LazySnapshotter.Fuse.Tests;

public sealed class TreeTests(ITestOutputHelper output)
{
    public static TheoryData<FuseInitFlags> Kernels => new(
        FuseInitFlags.None,
        FuseInitFlags.FUSE_NO_OPEN_SUPPORT | FuseInitFlags.FUSE_NO_OPENDIR_SUPPORT,
        FuseInitFlags.FUSE_DO_READDIRPLUS,
        (FuseInitFlags)ulong.MaxValue);

    [Theory]
    [MemberData(nameof(Kernels))]
    public async Task The_mounted_tree_equals_its_source_whatever_the_kernel_offers(FuseInitFlags disabled)
    {
        var tree = GeneratedTree.Build(Seed());
        await using var mount = await TestMount.StartAsync(tree, disabled);

        TreeComparison.AssertSame(mount.Directory, tree.Root);
        Assert.DoesNotContain(mount.Log, line => line.StartsWith("Error", StringComparison.Ordinal));
        Assert.Equal(FuseInitFlags.None, mount.Session.Features.Flags & disabled);
    }

    [Fact]
    public async Task Many_readers_at_random_places_get_the_right_bytes()
    {
        var seed = Seed();
        var tree = GeneratedTree.Build(seed);
        var odd = tree.Root.ByName["layer"].ByName["odd"];
        await using var mount = await TestMount.StartAsync(tree);
        var large = odd.ByName["large"].Data;

        await Task.WhenAll(Enumerable.Range(0, 16).Select(reader => Task.Run(() =>
        {
            var random = new Random(seed + reader);
            using var file = File.OpenHandle(mount.At("layer/odd/large"));
            var buffer = new byte[200_000];
            for (var i = 0; i < 300; i++)
            {
                var offset = random.Next(large.Length);
                var wanted = Math.Min(random.Next(1, buffer.Length), large.Length - offset);
                var count = RandomAccess.Read(file, buffer.AsSpan(0, wanted), offset);
                Assert.Equal(wanted, count);
                Assert.True(large.AsSpan(offset, count).SequenceEqual(buffer.AsSpan(0, count)), $"{count} bytes at {offset} differ");
            }
        })));
    }

    [Theory]
    [InlineData(FuseInitFlags.None)]
    [InlineData(FuseInitFlags.FUSE_DO_READDIRPLUS)]
    public async Task Listing_with_a_small_buffer_goes_on_exactly_where_it_stopped(FuseInitFlags disabled)
    {
        var tree = GeneratedTree.Build(Seed());
        await using var mount = await TestMount.StartAsync(tree, disabled);
        var expected = tree.Root.ByName["layer"].ByName["many"].Children.Select(child => Encoding.Latin1.GetString(child.Name))
            .Prepend("..").Prepend(".");

        using var directory = Libc.Open(mount.At("layer/many"), OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
        var names = new List<string>();
        while (Libc.ReadDirectory(directory, 300) is { Count: > 0 } more)
            names.AddRange(more.Select(item => Encoding.Latin1.GetString(item.Name)));

        Assert.Equal(expected, names);
    }

    [Fact]
    public async Task Seeking_in_a_directory_returns_to_the_same_child()
    {
        var tree = GeneratedTree.Build(Seed());
        await using var mount = await TestMount.StartAsync(tree);
        using var directory = Libc.Open(mount.At("layer/odd"), OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
        var all = Libc.ReadDirectory(directory, 65536);

        for (var i = 0; i < all.Count - 1; i++)
        {
            Libc.SeekDirectory(directory, all[i].NextPosition);
            Assert.Equal(all[i + 1].Name, Libc.ReadDirectory(directory, 512)[0].Name);
        }

        Libc.SeekDirectory(directory, 0);
        Assert.Equal("."u8.ToArray(), Libc.ReadDirectory(directory, 512)[0].Name);
    }

    [Fact]
    public async Task Hard_links_are_one_file()
    {
        var tree = GeneratedTree.Build(Seed());
        await using var mount = await TestMount.StartAsync(tree);

        var (exitCode, output) = await Tool.RunAsync(
            "find", mount.At("layer/odd"), "-samefile", mount.At("layer/odd/first name"), "-printf", "%f %n\\n");
        Assert.Equal(0, exitCode);
        Assert.Equal(["first name 2", "second name 2"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    private int Seed()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        return seed;
    }
}
