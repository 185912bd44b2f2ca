namespace LazySnapshotter.Layers.Build;

// The threads of a build, and which of its stages they work at. A stage is nobody's in particular: a thread takes the
// stage that is most urgent and free, one item of it, and looks again. One whose output finds no room does meanwhile
// what makes room. So no processor rests while there is something to do, threads hardly ever sleep and wake each other,
// and it does not matter that now this stage is the slower one and now that one.
//
// Everything is under one gate, which is held for the looking only.
internal sealed class BuildThreads : IDisposable
{
    private readonly BuildStage[] _stages;
    private readonly CancellationToken _aborted;
    private readonly CancellationTokenRegistration _registration;
    private readonly object _gate = new(); // a Monitor: threads sleep at it
    private int _sleeping;
    private int _sleepingForRoom;
    private bool _isComplete;
    private TaskCompletionSource? _room;
    private BuildStage? _roomIn;

    /// <param name="stages">The most urgent one first.</param>
    /// <param name="aborted">Ends all waiting, and every thread.</param>
    public BuildThreads(BuildStage[] stages, CancellationToken aborted)
    {
        _stages = stages;
        _aborted = aborted;
        _registration = aborted.Register(WakeAll);
    }

    /// <summary>Starts so many; ends when all of them have.</summary>
    public Task StartAsync(int count) => Task.WhenAll(Enumerable.Range(1, count).Select(number => Run($"index-{number}")));

    /// <summary>For a stage, about the next one: the thread works until there is room.</summary>
    public void Add(BuildStage stage, object item)
    {
        while (!TryAdd(stage, item))
            WorkUntil(stage);
    }

    /// <summary>For who is no stage and has no thread to give.</summary>
    public async ValueTask AddAsync(BuildStage stage, object item)
    {
        while (!TryAdd(stage, item))
            await RoomAsync(stage);
    }

    /// <summary>The last stage has taken the last item.</summary>
    public void Complete()
    {
        lock (_gate)
            _isComplete = true;
        WakeAll();
    }

    public void Dispose() => _registration.Dispose();

    private bool TryAdd(BuildStage stage, object item)
    {
        lock (_gate)
        {
            _aborted.ThrowIfCancellationRequested();
            if (!stage.HasRoom)
                return false;
            stage.Add(item);
            WakeFor(1);
            return true;
        }
    }

    private Task RoomAsync(BuildStage stage)
    {
        lock (_gate)
        {
            if (stage.HasRoom || _aborted.IsCancellationRequested)
                return Task.CompletedTask;
            _roomIn = stage;
            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    private Task Run(string name)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                WorkUntil(null);
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        { Name = name, IsBackground = true };
        thread.Start();
        return done.Task;
    }

    /// <summary>Works, or sleeps where there is nothing to do, until a stage has room, or (null) all is done.</summary>
    private void WorkUntil(BuildStage? room)
    {
        while (Start(room) is var (stage, item))
        {
            stage.Take(item);
            lock (_gate)
            {
                stage.Finish();
                WakeFor(2); // one of them is ours
            }
        }
    }

    private (BuildStage Stage, object Item)? Start(BuildStage? room)
    {
        lock (_gate)
        {
            while (true)
            {
                _aborted.ThrowIfCancellationRequested();
                if (room?.HasRoom ?? _isComplete)
                    return null;
                if (Array.Find(_stages, one => one.CanStart) is { } stage)
                {
                    var item = stage.Start();
                    if (_sleepingForRoom > 0)
                        Monitor.PulseAll(_gate);
                    TellRoom();
                    return (stage, item);
                }

                _sleeping++;
                _sleepingForRoom += room is null ? 0 : 1;
                Monitor.Wait(_gate);
                _sleeping--;
                _sleepingForRoom -= room is null ? 0 : 1;
            }
        }
    }

    /// <summary>Wakes who sleeps, if so many stages can be worked at.</summary>
    private void WakeFor(int count)
    {
        if (_sleeping > 0 && _stages.Count(stage => stage.CanStart) >= count)
            Monitor.PulseAll(_gate);
    }

    private void WakeAll()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
            _room?.TrySetResult();
        }
    }

    private void TellRoom()
    {
        if (_roomIn is not { IsHalfEmpty: true })
            return;
        _room?.TrySetResult();
        _roomIn = null;
    }
}
