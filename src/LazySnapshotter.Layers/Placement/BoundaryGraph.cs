using System.Runtime.InteropServices;

namespace LazySnapshotter.Layers.Placement;

// The block boundaries between which AdaptiveChooser has not decided yet, and the cheapest path to each of them from the
// root, the last checkpoint that is decided. A boundary gets its path when output follows it ("settled"): until then
// a later boundary with the same output may take its place.
//
// In a cost, a read that starts somewhere between boundaries g and g+1 counts as starting at g: the rest is the same whatever
// is chosen.
internal sealed class BoundaryGraph
{
    private readonly List<BoundaryNode> _nodes = [];
    private long _firstNumber;
    private bool _isLastSettled;

    private long _startWeights, _startPlaces;

    /// <summary>Root included.</summary>
    public int Count => _nodes.Count;

    public bool IsLastSettled => _isLastSettled;

    public ref readonly Checkpoint Root => ref this[0].Start;

    public ref BoundaryNode Last => ref CollectionsMarshal.AsSpan(_nodes)[^1];

    public ref BoundaryNode this[int index] => ref CollectionsMarshal.AsSpan(_nodes)[index];

    public int ParentOf(int index) => (int)(_nodes[index].Parent - _firstNumber);

    /// <summary>The layer starts, and with it the first span.</summary>
    public void Start()
    {
        _nodes.Add(new BoundaryNode { Start = new Checkpoint(0, 0, IsMemberStart: true) });
        _isLastSettled = true;
    }

    public void Clear()
    {
        _nodes.Clear();
        _firstNumber = 0;
        Start();
    }

    public void Add(in Checkpoint start, long windowCost)
    {
        _nodes.Add(new BoundaryNode { Start = start, WindowCost = windowCost });
        _isLastSettled = false;
    }

    /// <summary>Forgets the last boundary; whatever was after it is now after the one before. Not the root.</summary>
    public void RemoveLast()
    {
        _nodes.RemoveAt(_nodes.Count - 1);
        _isLastSettled = true;
    }

    public void AddReadStart(int weight)
    {
        _startWeights += weight;
        _startPlaces += weight * Last.Start.CompressedOffset;
    }

    /// <summary>Output follows the last boundary: it will not be replaced any more, and its cheapest path is found.</summary>
    public void SettleLast(long runLengthMax)
    {
        ref var node = ref Last;
        node.StartWeights = _startWeights;
        node.StartPlaces = _startPlaces;
        _isLastSettled = true;
        FindPath(Count - 1, runLengthMax);
    }

    /// <summary>Finds all paths anew: the root has moved to a node that was not on all of them.</summary>
    public void Recompute(long runLengthMax)
    {
        this[0].PathCost = 0;
        var settled = _isLastSettled ? Count : Count - 1;
        for (var i = 1; i < settled; i++)
            FindPath(i, runLengthMax);
    }

    /// <summary>
    /// The last node that the cheapest paths to all boundaries from an offset on have in common (and to the last one,
    /// wherever it is); 0, the root, if there is no other.
    /// </summary>
    public int CommonAncestor(long fromUncompressedOffset)
    {
        var nodes = CollectionsMarshal.AsSpan(_nodes);
        var i = _isLastSettled ? nodes.Length - 1 : nodes.Length - 2;
        var common = _firstNumber + i;
        for (i--; i >= 0 && nodes[i].Start.UncompressedOffset >= fromUncompressedOffset && common > _firstNumber; i--)
        {
            // Parents come before their children: of two different nodes the later one cannot be above the other.
            var other = _firstNumber + i;
            while (common != other)
            {
                if (common > other)
                    common = nodes[(int)(common - _firstNumber)].Parent;
                else
                    other = nodes[(int)(other - _firstNumber)].Parent;
            }
        }

        return (int)(common - _firstNumber);
    }

    /// <summary>A node becomes the root, and what lies before it is forgotten.</summary>
    public void RemoveBefore(int index)
    {
        _nodes.RemoveRange(0, index);
        _firstNumber += index;
        this[0].Parent = _firstNumber;
    }

    private void FindPath(int index, long runLengthMax)
    {
        var nodes = CollectionsMarshal.AsSpan(_nodes);
        ref var node = ref nodes[index];
        var best = long.MaxValue;
        for (var i = index - 1; i >= 0; i--)
        {
            if (node.Start.UncompressedOffset - nodes[i].Start.UncompressedOffset > runLengthMax && i < index - 1)
                break;
            var cost = nodes[i].PathCost + RunCost(nodes[i], node);
            if (cost >= best)
                continue;
            best = cost;
            node.Parent = _firstNumber + i;
        }

        node.PathCost = best;
    }

    private static long RunCost(in BoundaryNode from, in BoundaryNode to) =>
        to.StartPlaces - from.StartPlaces - from.Start.CompressedOffset * (
            to.StartWeights - from.StartWeights) + from.WindowCost + CheckpointCost;

    private const long CheckpointCost = ReadPoints.FileWeight * AdaptiveChooser.IndexByteCost * AdaptiveChooser.CheckpointLength;
}
