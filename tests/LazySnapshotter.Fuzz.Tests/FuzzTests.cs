namespace LazySnapshotter.Fuzz.Tests;

// A short run of every fuzz target, always the same one; `make fuzz` runs as many inputs as one likes. A failure names
// seed and iteration: `make fuzz ARGS="TARGET --seed S --first I --iterations 1"` runs just that one again.
public sealed class FuzzTests
{
    private const ulong Seed = 1;
    private const int Iterations = 10_000;

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_parser_takes_or_refuses_every_input(string target)
    {
        using var run = new FuzzRun(FuzzTargets.Get(target), Seed);
        run.Run(0, Iterations);

        // A run in which nothing is taken, or nothing refused, tests half of the parser at most.
        Assert.NotEqual(0, run.Taken);
        Assert.NotEqual(0, run.Refused);
    }

    // What was once found, by chance or by a guided run.
    [Theory]
    [MemberData(nameof(Targets))]
    public void A_parser_takes_or_refuses_the_corpus(string target)
    {
        using var run = new FuzzRun(FuzzTargets.Get(target), Seed);
        foreach (var (name, bytes) in FuzzCorpus.Of(FuzzTargets.Get(target)))
        {
            var failure = Record.Exception(() => run.Replay(bytes));
            Assert.True(failure is null, $"{name}: {failure}");
        }
    }

    [Fact]
    public void The_corpus_belongs_to_targets_and_stays_small()
    {
        var folders = new DirectoryInfo(Path.Combine(AppContext.BaseDirectory, "Corpus")).GetDirectories();
        Assert.Empty(folders.Select(folder => folder.Name).Except(FuzzTargets.All.Select(target => target.Name)));
        Assert.InRange(folders.SelectMany(folder => folder.EnumerateFiles()).Sum(file => file.Length), 1, 200 * 1024);
    }
}
