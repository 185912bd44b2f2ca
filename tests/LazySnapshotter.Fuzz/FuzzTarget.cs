using LazySnapshotter.Layers;

namespace LazySnapshotter.Fuzz;

// A parser under fire. Run gets one input and must either take it or refuse it with an exception that says what is wrong
// with it; any other exception, and whatever Run itself finds wrong about what was taken, is a failure.
public abstract class FuzzTarget
{
    public abstract string Name { get; }

    /// <summary>Well-formed inputs, from which the others are made. The same ones each time.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>What mutations of bytes do not come upon: names, keywords.</summary>
    public virtual IReadOnlyList<string> Words => [];

    public virtual int LengthMax => 64 * 1024;

    /// <summary>Bytes one input may make the parser allocate: far more than any of them needs, far less than a bomb.</summary>
    public virtual long AllocationMax => 64L << 20;

    /// <param name="input">Ends at a page that may not be touched.</param>
    /// <param name="random">For choices that are not the input's, such as how it is cut into pieces.</param>
    /// <exception cref="InvalidDataException">The input is refused; some targets refuse otherwise (<see cref="IsRefusal"/>).</exception>
    public abstract void Run(ReadOnlySpan<byte> input, ref FuzzRandom random);

    /// <summary>Makes a mutated input pass the checks that would hide what lies behind them (checksums).</summary>
    public virtual void Repair(Span<byte> input)
    {
    }

    /// <summary>Whether the parser's callers expect this where an input is no good.</summary>
    public virtual bool IsRefusal(Exception exception) => exception is InvalidDataException or UnsupportedLayerException;
}
