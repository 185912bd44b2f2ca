using System.Globalization;

namespace LazySnapshotter.Fuzz.Guided;

/// <summary>What afl-fuzz says of a run in its fuzzer_stats.</summary>
internal sealed record GuidedResult(FuzzTarget Target, IReadOnlyDictionary<string, string> Statistics)
{
    public long Crashes => Number("saved_crashes");

    public long Hangs => Number("saved_hangs");

    private double PerSecond => double.Parse(Statistics["execs_per_sec"], CultureInfo.InvariantCulture);

    public static GuidedResult Read(FuzzTarget target, string path) => new(
        target,
        File.ReadLines(path).Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0].Trim(), parts => parts[1].Trim()));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Target.Name,-18} {Number("run_time") / 60.0,5:0.0} min {Number("execs_done"),9} inputs {PerSecond,6:0}/s "
        + $"{Number("edges_found"),6} edges ({Statistics["bitmap_cvg"]}) {Number("corpus_count"),5} in the corpus, "
        + $"{Crashes} crashes, {Hangs} hangs");

    private long Number(string name) => long.Parse(Statistics[name], CultureInfo.InvariantCulture);
}
