using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.TestSupport.Indexes;

// Where a node's index files are, for tests that look at them, damage or remove them.
public static class IndexFiles
{
    /// <summary>The one index of a layer.</summary>
    public static string FileOf(this LayerIndexStore store, Digest layer) => store.PathOf(layer, store.IdentitiesOf(layer).Single());

    /// <summary>The one index of a layer below a node's root directory.</summary>
    public static string Of(string root, Digest layer) => new LayerIndexStore(root).FileOf(layer);

    /// <summary>Every index below a node's root directory.</summary>
    public static string[] All(string root) => Directory.GetFiles(Path.Combine(root, "indexes"), "*.lsi", SearchOption.AllDirectories);

    /// <summary>What was set aside as damaged.</summary>
    public static string[] Damaged(string root) =>
        Directory.GetFiles(Path.Combine(root, "indexes"), "*.damaged", SearchOption.AllDirectories);

    /// <summary>Any index of the layer, whoever vouches for it.</summary>
    public static bool Contains(this LayerIndexStore store, Digest layer) => store.IdentitiesOf(layer).Count > 0;

    /// <summary>Opens the one index of a layer.</summary>
    public static LayerIndex? TryOpen(this LayerIndexStore store, Digest layer, out string? damage)
    {
        damage = null;
        return store.IdentitiesOf(layer) is [var identity] ? store.TryOpen(layer, identity, out damage) : null;
    }
}
