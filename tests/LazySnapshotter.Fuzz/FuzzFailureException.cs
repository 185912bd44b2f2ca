namespace LazySnapshotter.Fuzz;

/// <summary>An input a parser did not survive. The message says how to run it again.</summary>
public sealed class FuzzFailureException(string target, ulong seed, long iteration, byte[] input, string what, Exception? cause = null)
    : Exception($"{target}: {what} (seed {seed}, iteration {iteration}, {input.Length} bytes)", cause)
{
    public IReadOnlyList<byte> Input => input;

    public byte[] ToBytes() => (byte[])input.Clone();
}
