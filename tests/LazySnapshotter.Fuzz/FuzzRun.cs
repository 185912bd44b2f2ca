using LazySnapshotter.Layers;

namespace LazySnapshotter.Fuzz;

// Runs a target over many mutated inputs. What is looked for: exceptions that are no refusal, allocations out of all
// proportion, reads behind the input (the process dies), and hangs (a watchdog names the iteration and ends the process:
// there is no other way to stop a thread).
public sealed class FuzzRun
{
    /// <summary>A hundred thousand times what an input takes.</summary>
    public static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(20);

    private readonly FuzzTarget _target;
    private readonly ulong _seed;
    private long _iteration = -1;
    private long _started;

    public FuzzRun(FuzzTarget target, ulong seed)
    {
        _target = target;
        _seed = seed;
    }

    public long Taken { get; private set; }

    public long Refused { get; private set; }

    /// <exception cref="FuzzFailureException">The parser did not survive an input.</exception>
    public void Run(long first, long count)
    {
        // The corpus itself must be taken: a corpus that is refused tests nothing but the refusal.
        using var memory = new GuardedMemory(_target.LengthMax);
        for (var i = 0; i < _target.Corpus.Count && first == 0; i++)
        {
            var random = new FuzzRandom(_seed, -1 - i);
            if (!TryOne(memory, _target.Corpus[i], -1 - i, ref random))
                throw new FuzzFailureException(_target.Name, _seed, -1 - i, _target.Corpus[i], "a well-formed input was refused");
        }

        using var watchdog = new Timer(_ => Watch(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        for (var iteration = first; iteration < first + count; iteration++)
        {
            var random = new FuzzRandom(_seed, iteration);
            var input = Mutator.Mutate(_target.Corpus, _target.LengthMax, ref random);
            if (!random.OneIn(4))
                _target.Repair(input);
            Volatile.Write(ref _started, Environment.TickCount64);
            Volatile.Write(ref _iteration, iteration);
            if (TryOne(memory, input, iteration, ref random))
                Taken++;
            else
                Refused++;
        }

        Volatile.Write(ref _iteration, -1);
    }

    /// <summary>Runs one input as it is; true if it was taken, false if it was refused.</summary>
    public bool RunOne(byte[] input)
    {
        using var memory = new GuardedMemory(Math.Max(input.Length, 1));
        var random = new FuzzRandom(_seed, 0);
        return TryOne(memory, input, 0, ref random);
    }

    private bool TryOne(GuardedMemory memory, byte[] input, long iteration, ref FuzzRandom random)
    {
        var guarded = memory.Take(input.Length);
        input.CopyTo(guarded);
        var allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        var isTaken = true;
        try
        {
            _target.Run(guarded, ref random);
        }
        catch (Exception e) when (e is InvalidDataException or UnsupportedLayerException)
        {
            isTaken = false;
        }
        catch (Exception e)
        {
            throw new FuzzFailureException(_target.Name, _seed, iteration, input, $"{e.GetType().Name}: {e.Message}", e);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        return allocated <= _target.AllocationMax
            ? isTaken
            : throw new FuzzFailureException(_target.Name, _seed, iteration, input, $"{allocated} bytes were allocated");
    }

    private void Watch()
    {
        var iteration = Volatile.Read(ref _iteration);
        if (iteration >= 0 && Environment.TickCount64 - Volatile.Read(ref _started) > HangAfter.TotalMilliseconds)
            Environment.FailFast($"fuzzing {_target.Name}: seed {_seed}, iteration {iteration} hangs");
    }
}
