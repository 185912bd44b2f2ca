using System.Collections;

namespace LazySnapshotter.Layers.Toc;

// Where a file's bytes lie: pieces in rising order that do not overlap; what lies between them, and behind the last
// one up to the file's size, reads as zeros. An ordinary file has one piece, an empty one none.
public readonly struct TocExtents : IReadOnlyList<TocExtent>
{
    private readonly TocExtent _single;
    private readonly TocExtent[]? _many;

    internal TocExtents(TocExtent single) => _single = single;

    internal TocExtents(TocExtent[] many) => _many = many;

    public int Count => _many?.Length ?? (_single.Length > 0 ? 1 : 0);

    public TocExtent this[int position] => _many is null && position == 0 && Count == 1 ? _single : (_many ?? [])[position];

    /// <summary>The first piece that ends behind a file offset, Count if there is none.</summary>
    public int FindFirstBehind(long fileOffset)
    {
        var low = 0;
        var high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (this[middle].FileEnd > fileOffset)
                high = middle;
            else
                low = middle + 1;
        }

        return low;
    }

    public IEnumerator<TocExtent> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
