namespace LazySnapshotter.Node.Images;

// A place in the merged tree: the entries that make it up, topmost layer first. A directory may have several parts,
// anything else has one; the root of an image without layers has none.
public sealed class ImageTreeNode
{
    internal ImageTreeNode(Part[] parts) => Parts = parts;

    internal IReadOnlyList<Part> Parts { get; }

    internal Part Top => Parts[0];

    /// <param name="Layer">Counted from the topmost.</param>
    internal readonly record struct Part(int Layer, int Entry);
}
