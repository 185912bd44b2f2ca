using System.Text;
using LazySnapshotter.Fuse;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Mounts.Implicit;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Node.Tests;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.TestSupport.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Mounts.Tests;

// Slots go while others are looked into for the first time: the kernel holds the directory of slots for the one who looks, and
// needs it to forget the one that is gone.
public sealed class ReleaseTests
{
    private const int SlotCount = 40;

    [Fact]
    public async Task Releasing_slots_while_others_are_opened_ends()
    {
        await using var node = await TestNode.StartAsync();
        await using var directory = TestDirectory.Create();
        using var database = MetadataDatabase.Open(Path.Combine(node.Directory.Path, "metadata.db"));
        var slots = new SlotStore(database);
        var layer = node.AddLayer(TestLayers.Blob(("a", "content of a")));
        using var build = node.Builder();
        long[] numbers;
        await using (var earlier = node.Catalog(build))
        {
            var opened = await earlier.OpenAsync(node.Origin, layer.Digest, default);
            numbers = [.. Enumerable.Range(0, SlotCount).Select(time => slots.GetOrAdd(
                layer.Digest, opened.Index.Id, Inherited(time).ToBytes(), node.Reference.ToString()).Number)];
        }

        await using var catalog = node.Catalog(build);
        using var mounter = new LayerMounter(directory.Path, catalog, slots, NullLoggerFactory.Instance);
        await using var session = await FuseSession.StartAsync(
            FuseMount.Create(directory.Path, new FuseMountOptions()), mounter.FileSystem, new FuseSessionOptions(), NullLogger.Instance);
        mounter.Released += slot => session.InvalidateEntry(NodeId.Root, Encoding.ASCII.GetBytes($"{slot}"));

        var work = numbers.Select(number => Task.Run(async () =>
        {
            if (number % 2 == 0)
                await mounter.ReleaseAsync(number, default);
            else
                Assert.Equal("content of a", await File.ReadAllTextAsync(Path.Combine(mounter.DirectoryOf(number), "a")));
        }));
        await Task.WhenAll(work).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.All(numbers, number => Assert.Equal(number % 2 != 0, Directory.Exists(mounter.DirectoryOf(number))));
    }

    // Each another one: a slot is for one combination of layer, index and inherited directories.
    private static ImplicitDirectories Inherited(int time) =>
        ImplicitDirectories.From(new Dictionary<int, InheritedDirectory> { [0] = new(0x1ED, 0, 0, time, 0, []) });
}
