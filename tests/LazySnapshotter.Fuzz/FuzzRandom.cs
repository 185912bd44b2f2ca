namespace LazySnapshotter.Fuzz;

// SplitMix64: the whole of an iteration follows from (seed, iteration), so that any single one can be run again without
// those before it. System.Random with a seed costs more to set up than most inputs cost to parse.
public struct FuzzRandom(ulong seed, long iteration)
{
    private ulong _state = seed * 0x9E3779B97F4A7C15 ^ (ulong)iteration * 0xD1B54A32D192ED03;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 to <paramref name="exclusiveMax"/> - 1; 0 if that is nothing.</summary>
    public int Next(int exclusiveMax) => exclusiveMax <= 1 ? 0 : (int)(Next() % (uint)exclusiveMax);

    public bool OneIn(int count) => Next(count) == 0;
}
