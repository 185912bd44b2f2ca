namespace LazySnapshotter.Layers.Verify;

// Counts one kind of comparison and keeps the first that failed: a thousand equal complaints tell no more than one. Used
// by one thread at a time.
internal sealed class CheckTally(string name)
{
    private long _compared;
    private long _differences;
    private IndexDifference? _first;

    public void Compare(long count = 1) => _compared += count;

    public void Differ(IndexDifference difference)
    {
        _differences++;
        _first ??= difference;
    }

    /// <summary>Compares one thing.</summary>
    public void Expect(bool isEqual, Func<IndexDifference> difference)
    {
        _compared++;
        if (!isEqual)
            Differ(difference());
    }

    public IndexCheck Result => new(name, _compared, _differences, _first);
}
