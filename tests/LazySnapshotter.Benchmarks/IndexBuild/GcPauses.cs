namespace LazySnapshotter.Benchmarks.IndexBuild;

// For how long the garbage collector stops all threads, from construction on. Looks every millisecond, so that two pauses in one
// are taken for one.
internal sealed class GcPauses : IDisposable
{
    private readonly TimeSpan _before = GC.GetTotalPauseDuration();
    private readonly Thread _thread;
    private volatile bool _isOver;
    private long _longest;

    public GcPauses()
    {
        _thread = new Thread(Watch) { IsBackground = true, Name = "gc-pauses" };
        _thread.Start();
    }

    public TimeSpan Total => GC.GetTotalPauseDuration() - _before;

    public TimeSpan Longest => new(Interlocked.Read(ref _longest));

    public void Dispose()
    {
        _isOver = true;
        _thread.Join();
    }

    private void Watch()
    {
        var seen = _before;
        while (!_isOver)
        {
            var now = GC.GetTotalPauseDuration();
            if ((now - seen).Ticks > _longest)
                Interlocked.Exchange(ref _longest, (now - seen).Ticks);
            seen = now;
            Thread.Sleep(1);
        }
    }
}
