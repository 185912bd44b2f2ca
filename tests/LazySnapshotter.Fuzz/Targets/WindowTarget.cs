using LazySnapshotter.Layers.Format;

namespace LazySnapshotter.Fuzz.Targets;

// Stored windows. One that is taken can be stored again and is then the same.
internal sealed class WindowTarget : FuzzTarget
{
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "window";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 40 * 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var window = new byte[WindowEncoding.WindowLengthMax];
        WindowEncoding.Decode(input, window);
        DecodeShort(input, random.Next(window.Length));
        var again = new byte[window.Length];
        WindowEncoding.Decode(WindowEncoding.Encode(window, WindowEncoding.AllReferenced), again);
        if (!window.AsSpan().SequenceEqual(again))
            throw new InvalidOperationException("stored again it is another window");
    }

    // Where less output came before the checkpoint; what reaches farther back is refused, and that is fine.
    private static void DecodeShort(ReadOnlySpan<byte> input, int length)
    {
        try
        {
            WindowEncoding.Decode(input, new byte[length]);
        }
        catch (InvalidDataException)
        {
        }
    }

    private static byte[][] MakeSeeds()
    {
        var random = new FuzzRandom(3, 0);
        var window = new byte[WindowEncoding.WindowLengthMax];
        for (var i = 0; i < window.Length; i++)
            window[i] = (byte)(random.Next(8) * 17);
        var few = new ulong[WindowEncoding.ReferencedWords];
        few[^1] = 0xFFFF0000FFFF0001;
        few[100] = ulong.MaxValue;
        return [WindowEncoding.Encode(window, few), WindowEncoding.Encode(window, WindowEncoding.AllReferenced), []];
    }
}
