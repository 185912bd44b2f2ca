using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LazySnapshotter.Fuzz;

// Runs a target over many mutated inputs. What is looked for: exceptions that are no refusal, allocations out of all
// proportion, reads behind the input (the process dies), and hangs (a watchdog names the iteration and ends the process:
// there is no other way to stop a thread).
public sealed class FuzzRun : IDisposable
{
    /// <summary>A hundred thousand times what an input takes.</summary>
    public static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(20);

    private readonly FuzzTarget _target;
    private readonly ulong _seed;
    private readonly GuardedMemory _memory;
    private long _iteration = -1;
    private long _started;

    public FuzzRun(FuzzTarget target, ulong seed)
    {
        _target = target;
        _seed = seed;
        _memory = new GuardedMemory(target.LengthMax);
    }

    public long Taken { get; private set; }

    public long Refused { get; private set; }

    public void Dispose() => _memory.Dispose();

    /// <exception cref="FuzzFailureException">The parser did not survive an input.</exception>
    public void Run(long first, long count)
    {
        // The seeds themselves must be taken: seeds that are refused test nothing but the refusal.
        for (var i = 0; i < _target.Seeds.Count && first == 0; i++)
        {
            var random = new FuzzRandom(_seed, -1 - i);
            if (!TryOne(_target.Seeds[i], -1 - i, ref random))
                throw new FuzzFailureException(_target.Name, _seed, -1 - i, _target.Seeds[i], "a well-formed input was refused");
        }

        IReadOnlyList<byte[]> corpus = [.. FuzzCorpus.Of(_target).Select(file => file.Bytes)];
        using var watchdog = new Timer(_ => Watch(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        for (var iteration = first; iteration < first + count; iteration++)
        {
            var random = new FuzzRandom(_seed, iteration);
            // Half of them from each: most of the corpus is not well-formed, and what comes of that is refused early.
            var origins = corpus.Count > 0 && random.OneIn(2) ? corpus : _target.Seeds;
            var input = Mutator.Mutate(origins, _target.Words, _target.LengthMax, ref random);
            if (!random.OneIn(4))
                _target.Repair(input);
            Volatile.Write(ref _started, Environment.TickCount64);
            Volatile.Write(ref _iteration, iteration);
            if (TryOne(input, iteration, ref random))
                Taken++;
            else
                Refused++;
        }

        Volatile.Write(ref _iteration, -1);
    }

    /// <summary>
    /// Runs one input as it is, and where that differs once more as it is when repaired; true if it was taken, false if it was
    /// refused. The same each time, whatever ran before.
    /// </summary>
    /// <exception cref="FuzzFailureException">The parser did not survive it.</exception>
    public bool Replay(ReadOnlySpan<byte> input)
    {
        var bytes = input[..Math.Min(input.Length, _target.LengthMax)].ToArray();
        // The choices that are not the input's follow from it all the same: they differ, but not from run to run.
        var choices = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(bytes));
        var random = new FuzzRandom(choices, 0);
        var isTaken = TryOne(bytes, 0, ref random);
        var repaired = (byte[])bytes.Clone();
        _target.Repair(repaired);
        if (repaired.AsSpan().SequenceEqual(bytes))
            return isTaken;
        random = new FuzzRandom(choices, 0);
        return TryOne(repaired, 0, ref random) || isTaken;
    }

    private bool TryOne(byte[] input, long iteration, ref FuzzRandom random)
    {
        var guarded = _memory.Take(input.Length);
        input.CopyTo(guarded);
        var allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        var isTaken = true;
        try
        {
            _target.Run(guarded, ref random);
        }
        catch (Exception e) when (_target.IsRefusal(e))
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
