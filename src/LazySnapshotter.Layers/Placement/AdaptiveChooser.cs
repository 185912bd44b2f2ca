namespace LazySnapshotter.Layers.Placement;

// Chooses the spans for which reading files costs least. A read fetches everything from the checkpoint before its start to the
// end of the span in which it ends. So its start wants a checkpoint near before it, which costs a window; its end only
// the end of a span near behind it, which costs a digest. Checkpoints first: of a *run*, the spans from one to the next,
//
//   cost(i -> j) = sum of reads starting in the run: weight * (c(start) - c(i))
//                + IndexByteCost * (CheckpointLength + window(i))
//
// and the cheapest path through all block boundaries is what is wanted: a dynamic programme, run while the layer streams
// by. Every boundary that can still be extended (it lies within a run's length of the end) has a cheapest path to it; what
// all of these paths have in common is decided, and exactly what it would be had the whole layer been known. If they have
// not met within LookAhead of output, the path to the last boundary decides up to the middle. A run that is decided is then
// cut into spans (RunCuts).
//
// Constants are those of a study of five compressors on a 400 MB layer: they spend index where files are small.
internal sealed class AdaptiveChooser : CheckpointChooser
{
    /// <summary>Fetched bytes of one read of every file that a byte of index may cost.</summary>
    public const long IndexByteCost = 256;

    /// <summary>What a checkpoint costs without its window: two offsets, a digest, and the window's length and checksum.</summary>
    public const long CheckpointLength = 56;

    /// <summary>Uncompressed length of a run, unless a block is longer.</summary>
    public const long RunLengthMax = 2 * 1024 * 1024;

    public const long LookAhead = 8 * 1024 * 1024;

    /// <summary>
    /// Boundaries nearer than this to the one before cannot pay for a checkpoint, and blocks of a few bytes would make the
    /// programme slow.
    /// </summary>
    public const long SpacingMin = 4096;

    /// <summary>A block longer than this is taken to need its whole window.</summary>
    private const long BlockLengthMax = 4 * 1024 * 1024;

    /// <summary>How many boundaries pass between two looks at whether something is decided.</summary>
    private const int NodesPerCheck = 16;

    private const int WeightScale = ReadPoints.FileWeight;
    private const long WindowLengthMax = 32768;

    private readonly BoundaryGraph _graph = new();
    private readonly RunCuts _cuts = new();
    private readonly List<int> _path = [];
    private bool _isLastOpen;
    private int _uncheckedNodes;

    public AdaptiveChooser(Action<Checkpoint> chosen)
        : base(chosen) => _graph.Start();

    public override Checkpoint? Undecided
    {
        get
        {
            var (boundary, cut) = (_graph.Count > 1 ? _graph[1].Start : (Checkpoint?)null, _cuts.First);
            return cut is null || boundary?.UncompressedOffset < cut.Value.UncompressedOffset ? boundary : cut;
        }
    }

    public override bool NeedsReach => true;

    public override void BlockStart(in Checkpoint start)
    {
        if (start.UncompressedOffset == 0)
            return; // the first span starts there anyway
        _cuts.AddBoundary(start);

        ref var last = ref _graph.Last;
        if (last.Start.UncompressedOffset == start.UncompressedOffset)
        {
            last.Start = start;
            last.WindowCost = start.IsMemberStart ? 0 : BoundaryNode.UnknownCost;
            _isLastOpen = true;
            return;
        }

        Settle(start.UncompressedOffset);
        _isLastOpen = false;
        last = ref _graph.Last;
        if (start.UncompressedOffset - last.Start.UncompressedOffset < SpacingMin && _graph.Count > 1)
        {
            if (!start.IsMemberStart || last.Start.IsMemberStart)
                return;
            _graph.RemoveLast();
        }

        if (++_uncheckedNodes >= NodesPerCheck)
            DecideCommon(start.UncompressedOffset);
        _graph.Add(start, start.IsMemberStart ? 0 : BoundaryNode.UnknownCost);
        _isLastOpen = true;
    }

    public override void Mark(in Checkpoint mark) => _cuts.AddMark(mark);

    public override void BlockEnd(long reachBytes)
    {
        if (_isLastOpen && _graph.Last.WindowCost == BoundaryNode.UnknownCost)
            _graph.Last.WindowCost = WindowCost(reachBytes);
        _isLastOpen = false;
    }

    public override void ReadStart(long uncompressedOffset, int weight)
    {
        Settle(uncompressedOffset + 1);
        _graph.AddReadStart(weight);
    }

    public override void ReadEnd(long uncompressedOffset, int weight)
    {
        Settle(uncompressedOffset);
        _cuts.AddReadEnd(weight);
    }

    public override void Advance(long uncompressedOffset) => Settle(uncompressedOffset);

    public override void Force(long compressedOffset)
    {
        var isLastOpen = !_graph.IsLastSettled;
        var decided = isLastOpen ? _graph.Count - 2 : _graph.Count - 1;
        if (decided > 0)
            Decide(decided);
        if (isLastOpen && _graph.Last.Start.CompressedOffset < compressedOffset)
            _graph.RemoveLast();
        while (_cuts.First is { } first && first.CompressedOffset < compressedOffset)
            _cuts.Forget(first.UncompressedOffset + 1);
    }

    public override void Complete(long compressedLength, long uncompressedLength)
    {
        Settle(uncompressedLength);
        if (!_graph.IsLastSettled)
            _graph.RemoveLast(); // nothing follows it
        CloseLast();
        _graph.Add(new Checkpoint(compressedLength * 8, uncompressedLength, IsMemberStart: true), windowCost: 0);
        _graph.SettleLast(RunLengthMax);
        var end = _graph.Count - 1;
        var parent = _graph.ParentOf(end);
        if (parent > 0)
            Decide(parent);
        CutRun(_graph.Root, _graph.Last.Start);
        _graph.Clear();
    }

    /// <summary>There is output up to here: the last boundary stands, if it lies before; what waited too long is decided.</summary>
    private void Settle(long uncompressedOffset)
    {
        if (uncompressedOffset <= _graph.Last.Start.UncompressedOffset)
            return;
        if (!_graph.IsLastSettled)
            _graph.SettleLast(RunLengthMax);
        if (uncompressedOffset - _graph.Last.Start.UncompressedOffset > BlockLengthMax)
            CloseLast();

        while (_graph.Count > 1 && _graph.Root.UncompressedOffset + LookAhead < uncompressedOffset)
        {
            if (!DecideCommon(_graph.Root.UncompressedOffset + LookAhead))
                DecideHalf();
        }

        if (_graph.Count == 1 && _graph.Root.UncompressedOffset + LookAhead < uncompressedOffset)
            _cuts.Forget(uncompressedOffset);
    }

    private void CloseLast()
    {
        if (_graph.Last.WindowCost == BoundaryNode.UnknownCost)
            _graph.Last.WindowCost = WindowCost(WindowLengthMax);
    }

    private bool DecideCommon(long uncompressedOffset)
    {
        _uncheckedNodes = 0;
        var common = _graph.CommonAncestor(uncompressedOffset - RunLengthMax);
        if (common == 0)
            return false;
        Decide(common);
        return true;
    }

    private void DecideHalf()
    {
        var middle = _graph.Root.UncompressedOffset + LookAhead / 2;
        var node = _graph.Count - 1;
        while (_graph.ParentOf(node) > 0 && _graph[node].Start.UncompressedOffset > middle)
            node = _graph.ParentOf(node);
        Decide(node);
        _graph.Recompute(RunLengthMax);
    }

    /// <summary>The path to a node is decided; the node becomes the root.</summary>
    private void Decide(int node)
    {
        _path.Clear();
        for (var i = node; i > 0; i = _graph.ParentOf(i))
            _path.Add(i);
        var from = 0;
        for (var i = _path.Count - 1; i >= 0; from = _path[i--])
        {
            CutRun(_graph[from].Start, _graph[_path[i]].Start);
            Choose(_graph[_path[i]].Start);
        }

        _graph.RemoveBefore(node);
    }

    private void CutRun(in Checkpoint start, in Checkpoint end)
    {
        if (end.UncompressedOffset - start.UncompressedOffset > LookAhead)
            _cuts.Forget(end.UncompressedOffset); // one long block; what waits is bounded, and some of it may be forgotten
        foreach (var cut in _cuts.Cut(start, end))
            Choose(cut);
    }

    private static long WindowCost(long reachBytes) =>
        WeightScale * IndexByteCost * Math.Min(reachBytes, WindowLengthMax);
}
