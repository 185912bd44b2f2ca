namespace LazySnapshotter.Codecs.Deflate;

// How often each symbol of a deflate block occurs.
internal sealed class DeflateFrequencies
{
    public int[] Literals { get; } = new int[DeflateSymbols.LiteralCount];

    public int[] Distances { get; } = new int[DeflateSymbols.DistanceCount];

    public void Clear()
    {
        Literals.AsSpan().Clear();
        Distances.AsSpan().Clear();
    }

    public void Add(DeflateFrequencies other)
    {
        for (var i = 0; i < Literals.Length; i++)
            Literals[i] += other.Literals[i];
        for (var i = 0; i < Distances.Length; i++)
            Distances[i] += other.Distances[i];
    }
}
