using LazySnapshotter.Layers.Format;
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
                costs.Add(LengthOf(index, entry, lengthMax));
        }

        if (costs.Count == 0)
            return new ReadCosts(0, 0, 0, 0, 0);
        costs.Sort();
        return new ReadCosts(
            costs.Count, (long)costs.Average(), costs[(costs.Count - 1) / 2], costs[(int)((costs.Count - 1) * 0.99)], costs[^1]);
    }

    /// <summary>The spans that it takes to read the beginning of a file, each once, in their order.</summary>
    public static IReadOnlyList<SpanId> SpansOf(LayerIndex index, int entry, long lengthMax)
    {
        var found = new List<SpanId>();
        Visit(index, entry, lengthMax, found.Add);
        return found;
    }

    private static long LengthOf(LayerIndex index, int entry, long lengthMax)
    {
        long length = 0;
        Visit(index, entry, lengthMax, span => length += index.Spans[span].CompressedLength);
        return length;
    }

    // The pieces of a file lie in the tar in their order, so each span comes once when the one before is remembered. What comes
    // before a piece in its run comes along.
    private static void Visit(LayerIndex index, int entry, long lengthMax, Action<SpanId> visit)
    {
        var extents = index.Toc.Extents(entry);
        var next = 0;
        for (var i = 0; i < extents.Count; i++)
        {
            var length = Math.Min(extents[i].Length, lengthMax - extents[i].FileOffset);
            if (length <= 0)
                break;
            var last = index.Spans.Find(extents[i].UncompressedOffset + length - 1).Value;
            for (next = Math.Max(next, index.Spans.RunStart(index.Spans.Find(extents[i].UncompressedOffset)).Value); next <= last; next++)
                visit(new SpanId(next));
        }
    }
}
