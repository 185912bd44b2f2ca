using LazySnapshotter.Artifacts.Soci;

namespace LazySnapshotter.Fuzz.Targets;

// soci's lists of spans to fetch first. What is taken names spans the layer has, none twice.
internal sealed class PrefetchListTarget : FuzzTarget
{
    private const int SpanCount = 100;

    public override string Name => "prefetch-list";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        """{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":4,"priority":1},{"start_span":3,"end_span":99,"priority":0}]}""");

    public override IReadOnlyList<string> Words { get; } =
        ["\"start_span\":", "\"end_span\":", "\"priority\":", "{\"start_span\":1,\"end_span\":2},"];

    public override int LengthMax => 2048;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var taken = new bool[SpanCount];
        foreach (var (first, last) in PrefetchList.Parse(input, SpanCount))
        {
            for (var span = first.Value; span <= last.Value; span++)
            {
                if (taken[span])
                    throw new InvalidOperationException($"span {span} twice");
                taken[span] = true;
            }
        }
    }
}
