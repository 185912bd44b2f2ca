using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Metadata;

namespace LazySnapshotter.Mounts.Tests;

public sealed class SlotStoreTests : IDisposable
{
    private static readonly Digest Layer = Digest.OfSha256("layer"u8);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lazysnap-slots-");

    private string DatabasePath => Path.Combine(_directory.FullName, "metadata.db");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_slot_stands_for_one_layer_index_and_set_of_inherited_directories()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        var slots = new SlotStore(database);
        var slot = slots.GetOrAdd(Layer, "index", [1, 2], "registry.example/a:1");

        Assert.Equal(slot.Number, slots.GetOrAdd(Layer, "index", [1, 2], "registry.example/b:1").Number);
        Assert.Equal("registry.example/b:1", slots.TryGet(slot.Number)!.Source);
        Assert.NotEqual(slot.Number, slots.GetOrAdd(Layer, "index", [], "registry.example/a:1").Number);
        Assert.NotEqual(slot.Number, slots.GetOrAdd(Layer, "another", [1, 2], "registry.example/a:1").Number);
    }

    [Fact]
    public void A_number_is_never_given_out_twice_also_after_a_restart()
    {
        long removed;
        using (var database = MetadataDatabase.Open(DatabasePath))
        {
            var slots = new SlotStore(database);
            removed = slots.GetOrAdd(Layer, "index", [], "registry.example/a:1").Number;
            Assert.Equal(Layer, slots.Remove(removed)!.Layer);
            Assert.Null(slots.Remove(removed));
            Assert.False(slots.AnyFor(Layer));
        }

        using var again = MetadataDatabase.Open(DatabasePath);
        Assert.True(new SlotStore(again).GetOrAdd(Layer, "index", [], "registry.example/a:1").Number > removed);
    }
}
