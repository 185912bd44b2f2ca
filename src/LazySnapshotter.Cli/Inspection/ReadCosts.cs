using LazySnapshotter.Layers.Index;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Cli.Inspection;

/// <summary>What reading files of a layer fetches when nothing of it is here: compressed bytes, over all files that have any.</summary>
internal sealed record ReadCosts(int Files, long Mean, long Median, long P99, long Max)
{
    /// <summary>What a program's first read of a file is: the kernel reads a page, at least.</summary>
    public const int FirstReadLength = 4096;

    /// <param name="lengthMax">How much is read of each file, from its beginning.</param>
    public static ReadCosts Of(LayerIndex index, long lengthMax)
    {
        var costs = new List<long>();
        for (var entry = 0; entry < index.Toc.Count; entry++)
        {
            if (index.Toc.Extents(entry).Count > 0)
                costs.Add(SpansOf(index, entry, lengthMax).Sum(span => index.Spans[span].CompressedLength));
        }

        if (costs.Count == 0)
            return new ReadCosts(0, 0, 0, 0, 0);
        costs.Sort();
        return new ReadCosts(costs.Count, (long)costs.Average(), costs[(costs.Count - 1) / 2], costs[(int)((costs.Count - 1) * 0.99)], costs[^1]);
    }

    /// <summary>The spans that hold the beginning of a file, each once, in their order.</summary>
    public static IReadOnlyList<SpanId> SpansOf(LayerIndex index, int entry, long lengthMax)
    {
        var found = new SortedSet<int>();
        foreach (var extent in index.Toc.Extents(entry))
        {
            var length = Math.Min(extent.Length, lengthMax - extent.FileOffset);
            if (length <= 0)
                break;
            var last = index.Spans.Find(extent.UncompressedOffset + length - 1).Value;
            for (var span = index.Spans.Find(extent.UncompressedOffset).Value; span <= last; span++)
                found.Add(span);
        }

        return [.. found.Select(span => new SpanId(span))];
    }
}
