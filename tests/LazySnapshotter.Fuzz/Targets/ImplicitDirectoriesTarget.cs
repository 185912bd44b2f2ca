using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Mounts.Implicit;

namespace LazySnapshotter.Fuzz.Targets;

// What a slot inherited, as it lies in the node's database. What is taken is written and read back.
internal sealed class ImplicitDirectoriesTarget : FuzzTarget
{
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "inherited";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 2048;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var written = ImplicitDirectories.FromBytes(input.ToArray()).ToBytes();
        if (!written.AsSpan().SequenceEqual(ImplicitDirectories.FromBytes(written).ToBytes()))
            throw new InvalidOperationException("they read back differently");
    }

    private static byte[][] MakeSeeds()
    {
        var some = ImplicitDirectories.From(new Dictionary<int, InheritedDirectory>
        {
            [3] = new(0x41ED, 1, 2, 1_700_000_000, 5, [new TocXattr("user.a"u8.ToArray(), "b"u8.ToArray())]),
            [400] = new(0x41C0, 0, 0, -1, 0, []),
        });
        return [some.ToBytes(), ImplicitDirectories.Lowest.ToBytes(), []];
    }
}
