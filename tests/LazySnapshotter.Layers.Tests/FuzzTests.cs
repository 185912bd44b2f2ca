using LazySnapshotter.Fuzz;

namespace LazySnapshotter.Layers.Tests;

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
        var run = new FuzzRun(FuzzTargets.Get(target), Seed);
        run.Run(0, Iterations);

        // A run in which nothing is taken, or nothing refused, tests half of the parser at most.
        Assert.NotEqual(0, run.Taken);
        Assert.NotEqual(0, run.Refused);
    }
}
