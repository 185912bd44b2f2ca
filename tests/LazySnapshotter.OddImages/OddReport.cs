using System.Collections.Concurrent;

namespace LazySnapshotter.OddImages;

// What became of many images. Its sum says whether the run proves anything: images of each kind must have been there.
public sealed class OddReport(IReadOnlyCollection<OddOutcome> outcomes)
{
    public IReadOnlyList<OddOutcome> Differences { get; } =
        [.. outcomes.Where(outcome => outcome.Verdict == OddVerdict.Different).OrderBy(outcome => outcome.Seed)];

    public int Taken => Count(OddVerdict.SameTree);

    public int Refused => Count(OddVerdict.SameRefusal);

    /// <summary>Of the layers of images that both take, in percent: those that were served lazily.</summary>
    public int LazyPercent
    {
        get
        {
            var taken = outcomes.Where(outcome => outcome.Verdict == OddVerdict.SameTree).ToList();
            var lazy = taken.Sum(outcome => outcome.LayersLazy);
            return lazy * 100 / Math.Max(1, lazy + taken.Sum(outcome => outcome.LayersUnpacked));
        }
    }

    /// <param name="stop">Ends the run early; what was seen until then is reported.</param>
    public static async Task<OddReport> OfAsync(
        OddRun run, int firstSeed, int count, int parallel, Action<string> tell, CancellationToken stop = default)
    {
        var outcomes = new ConcurrentQueue<OddOutcome>();
        await Parallel.ForEachAsync(
            Enumerable.Range(firstSeed, count), new ParallelOptions { MaxDegreeOfParallelism = parallel }, async (seed, _) =>
            {
                if (stop.IsCancellationRequested)
                    return;
                var outcome = await run.RunAsync(seed);
                outcomes.Enqueue(outcome);
                tell(outcome.ToString());
            });
        return new OddReport(outcomes);
    }

    public override string ToString() =>
        $"{outcomes.Count} images: {Taken} with the same tree ({LazyPercent} % of their layers lazy), {Refused} refused by both, "
        + $"{Differences.Count} different"
        + (Differences.Count == 0 ? "" : $": seeds {string.Join(' ', Differences.Select(outcome => outcome.Seed))}");

    private int Count(OddVerdict verdict) => outcomes.Count(outcome => outcome.Verdict == verdict);
}
