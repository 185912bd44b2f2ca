using System.Runtime.InteropServices;

namespace LazySnapshotter.Layers.Placement;

// Cuts a run, what lies between two checkpoints, into spans, so that a read has to fetch little behind its end:
//
//   cost(i -> j) = sum of reads ending in the span: weight * (c(j) - c(end))
//                + IndexByteCost * SpanLength
//
// over all marks behind which something has ended since the mark before. A read that ends between two places counts as ending at
// the second one: the rest is the same whatever is chosen.
internal sealed class RunCuts
{
    /// <summary>What a span without a window costs: two offsets and a digest.</summary>
    public const long SpanLength = 38;

    private const long SpanCost = ReadPoints.FileWeight * AdaptiveChooser.IndexByteCost * SpanLength;

    private readonly List<Place> _places = [];
    private readonly List<Checkpoint> _cuts = [];
    private Place _forgotten;
    private long _weights, _weightedPlaces;
    private long _pendingWeight;

    /// <summary>The first place at which a run that is not decided may be cut.</summary>
    public Checkpoint? First
    {
        get
        {
            foreach (var place in _places)
            {
                if (place.MayCut)
                    return place.Start;
            }

            return null;
        }
    }

    /// <summary>The next read end is behind all places so far.</summary>
    public void AddReadEnd(int weight) => _pendingWeight += weight;

    /// <summary>A span may start here.</summary>
    public void AddMark(in Checkpoint mark) => Add(mark, mayCut: true);

    /// <summary>A run may start here; where it does is a span's start anyway.</summary>
    public void AddBoundary(in Checkpoint boundary) => Add(boundary, mayCut: false);

    /// <summary>Cuts the run between two boundaries. What lies before its end is forgotten.</summary>
    /// <returns>Where its second span starts, and all others, in order; valid until the next call.</returns>
    public IReadOnlyList<Checkpoint> Cut(in Checkpoint start, in Checkpoint end)
    {
        var (from, to) = (start.UncompressedOffset, end.UncompressedOffset);
        var before = _places.FindLastIndex(place => place.Start.UncompressedOffset <= from);
        var behind = _places.FindIndex(place => place.Start.UncompressedOffset >= to);
        var nodes = new List<Place> { before < 0 ? _forgotten : _places[before] };
        for (var i = before + 1; i < (behind < 0 ? _places.Count : behind); i++)
        {
            if (_places[i].MayCut)
                nodes.Add(_places[i]);
        }

        _cuts.Clear();
        if (nodes.Count > 1)
        {
            nodes.Add(nodes[^1] with { Start = end });
            FindPath(CollectionsMarshal.AsSpan(nodes));
            for (var i = nodes[^1].Parent; i > 0; i = nodes[i].Parent)
                _cuts.Add(nodes[i].Start with { IsContinued = !nodes[i].Start.IsMemberStart });
            _cuts.Reverse();
        }

        Forget(to);
        return _cuts;
    }

    /// <summary>Nothing before an offset will be cut.</summary>
    public void Forget(long uncompressedOffset)
    {
        var behind = _places.FindIndex(place => place.Start.UncompressedOffset >= uncompressedOffset);
        var count = behind < 0 ? _places.Count : behind;
        if (count == 0)
            return;
        _forgotten = _places[count - 1];
        _places.RemoveRange(0, count);
    }

    private void Add(in Checkpoint start, bool mayCut)
    {
        if (_pendingWeight == 0 && (!mayCut || _places.Count == 0 || _places[^1].MayCut))
            return; // no better than the place before
        _weights += _pendingWeight;
        _weightedPlaces += _pendingWeight * start.CompressedOffset;
        _pendingWeight = 0;
        _places.Add(new Place(start, mayCut, _weights, _weightedPlaces));
    }

    private static void FindPath(Span<Place> nodes)
    {
        for (var j = 1; j < nodes.Length; j++)
        {
            ref var end = ref nodes[j];
            end.PathCost = long.MaxValue;
            for (var i = j - 1; i >= 0; i--)
            {
                ref readonly var start = ref nodes[i];
                var cost = start.PathCost + SpanCost + end.Start.CompressedOffset * (
                    end.Weights - start.Weights) - (end.WeightedPlaces - start.WeightedPlaces);
                if (cost >= end.PathCost)
                    continue;
                end.PathCost = cost;
                end.Parent = i;
            }
        }
    }

    /// <param name="Weights">Of the reads that end before it; the sums run over the whole layer.</param>
    /// <param name="WeightedPlaces">Each of these weights times the place that it counts as ending at.</param>
    private record struct Place(Checkpoint Start, bool MayCut, long Weights, long WeightedPlaces)
    {
        public long PathCost;
        public int Parent;
    }
}
