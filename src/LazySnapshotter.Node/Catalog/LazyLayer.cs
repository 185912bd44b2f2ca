using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Catalog;

// A layer that can be read without being here: its index says where everything is, the span reader gets what is
// missing. Immutable and safe for concurrent use; shared by every directory, mount and command that shows the layer.
public sealed class LazyLayer
{
    private readonly LayerIndex _index;
    private readonly SpanReader _reader;

    internal LazyLayer(LayerIndex index, SpanReader reader)
    {
        _index = index;
        _reader = reader;
    }

    public Digest Digest => _index.LayerDigest;

    public LayerToc Toc => _index.Toc;

    public LayerIndex Index => _index;

    /// <summary>
    /// Fills <paramref name="destination"/> with a file's content from <paramref name="offset"/> on, holes as zeros;
    /// fewer bytes only at the end of the file. Completes synchronously when the bytes are on this node.
    /// </summary>
    public ValueTask<int> ReadAsync(int entry, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var size = Toc[entry].Size;
        if (offset >= size || destination.IsEmpty)
            return ValueTask.FromResult(0);

        destination = destination[..(int)Math.Min(destination.Length, size - offset)];
        var extents = Toc.Extents(entry);
        if (extents.Count == 1 && extents[0] is { FileOffset: 0 } whole && whole.Length == size)
            return _reader.ReadAsync(whole.UncompressedOffset + offset, destination, whole.UncompressedOffset + size, cancellationToken);
        return ReadSparseAsync(extents, offset, destination, cancellationToken);
    }

    private async ValueTask<int> ReadSparseAsync(
        TocExtents extents, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        destination.Span.Clear();
        var end = offset + destination.Length;
        for (var i = extents.FindFirstBehind(offset); i < extents.Count && extents[i].FileOffset < end; i++)
        {
            var extent = extents[i];
            var start = Math.Max(offset, extent.FileOffset);
            var length = Math.Min(end, extent.FileOffset + extent.Length) - start;
            if (length > 0)
            {
                var target = destination.Slice((int)(start - offset), (int)length);
                var source = extent.UncompressedOffset + (start - extent.FileOffset);
                var read = await _reader.ReadAsync(source, target, extent.UncompressedOffset + extent.Length, cancellationToken);
                if (read != target.Length)
                    throw new InvalidDataException(
                        $"{Digest}: the layer ends {target.Length - read} bytes inside a file, behind uncompressed offset {source + read}");
            }
        }

        return destination.Length;
    }
}
