using LazySnapshotter.OddImages;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests;

// Images made at random, odd in every way we know of, are shown as containerd unpacks them, or refused as it refuses them. A seed
// that fails here runs alone with `make odd-images ARGS="--seed S --count 1"`.
public sealed class OddImageTests(ITestOutputHelper output)
{
    private const int FirstSeed = 1;
    private const int Count = 40;

    [Fact]
    public async Task Odd_images_are_shown_or_refused_as_by_containerd()
    {
        await using var run = await OddRun.StartAsync();
        var report = await OddReport.OfAsync(run, FirstSeed, Count, parallel: 2, output.WriteLine);

        output.WriteLine(report.ToString());
        Assert.True(report.Differences.Count == 0, $"{report}\n{string.Join('\n', report.Differences)}");
        Assert.True(report.Taken >= Count / 4 && report.Refused >= Count / 20, $"not a test of both: {report}");
        Assert.True(report.LazyPercent >= 60, $"hardly anything is lazy: {report}");
    }
}
