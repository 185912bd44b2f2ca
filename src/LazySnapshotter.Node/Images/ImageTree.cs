using LazySnapshotter.Node.Catalog;

namespace LazySnapshotter.Node.Images;

// All layers of an image as one tree whose files can be read: what `lazysnap ls` and `cat` walk.
/// <param name="layers">Lowest first.</param>
public sealed class ImageTree(IReadOnlyList<LazyLayer> layers) : MergedToc(layers.Select(layer => layer.Toc))
{
    public ValueTask<int> ReadAsync(ImageTreeNode file, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var (layer, entry) = Locate(file);
        return layers[layer].ReadAsync(entry, offset, destination, cancellationToken);
    }
}
