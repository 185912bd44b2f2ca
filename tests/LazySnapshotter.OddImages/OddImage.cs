using LazySnapshotter.OddImages.Manifests;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.OddImages;

// An image made of one seed: one to five layers that share names, and documents around them.
internal sealed record OddImage(int Seed, string Repository, string Recipe, IReadOnlyList<OddLayer> Layers)
{
    private const int LayersMax = 5;

    public static OddImage Add(TestContent content, int seed)
    {
        var dice = new Dice(seed);
        var repository = $"odd/{seed}";
        dice.Wrongness = dice.Pick(100, 500, 500, 3000);
        var isDocker = dice.OneIn(3);
        var layers = new List<OddLayer>();
        for (var i = 1 + dice.Below(LayersMax); i > 0; i--)
        {
            dice.StartPart($"layer {layers.Count + 1}");
            layers.Add(OddLayer.Of(dice, $"seed {seed}, layer {layers.Count + 1}", isDocker));
        }

        dice.StartPart("image");
        if (dice.Odd(20, "a layer twice"))
            layers.Add(layers[dice.Below(layers.Count)]);
        if (dice.Odd(80, "no layers"))
            layers.Clear();
        new OddDocuments(dice, content, repository, isDocker).Add(layers);
        return new OddImage(seed, repository, $"{layers.Count} layers; {dice.Recipe}", layers);
    }
}
