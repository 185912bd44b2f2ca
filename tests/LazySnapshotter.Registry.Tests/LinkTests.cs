using System.Diagnostics;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// The simulated link is a measuring instrument: what it says must be so.
public sealed class LinkTests
{
    // How much slower than the link depends on what else this machine does: the best of a few tries counts.
    private const int Tries = 6;

    [Fact]
    public async Task Bodies_share_the_bandwidth_and_it_is_what_was_asked_for()
    {
        var link = new LinkProfile(TimeSpan.Zero, 500_000_000);
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Link = link });
        var content = new byte[8 << 20];
        var blob = bench.Server.Content.AddBlob(Bench.Repository, content);
        await bench.AssertReadsAsync(0, 1);

        var best = await BestOfAsync(() => Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var stream = await bench.Client.OpenBlob(bench.Reference, blob.Digest, blob.Size)
                .OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
            await stream.CopyToAsync(Stream.Null);
        })));
        var expected = 4.0 * content.Length * 8 / link.BitsPerSecond;
        Assert.InRange(best.TotalSeconds, expected * 0.96, expected * 1.5);
    }

    [Fact]
    public async Task A_request_takes_one_round_trip_and_a_connection_one_more()
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Link = new LinkProfile(TimeSpan.FromMilliseconds(100), 0) });
        var started = Stopwatch.GetTimestamp();
        await bench.AssertReadsAsync(0, 1); // connection, ping, blob
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 290, double.MaxValue);
        var best = await BestOfAsync(() => bench.AssertReadsAsync(0, 1));
        Assert.InRange(best.TotalMilliseconds, 95, 200);
        Assert.Equal(1, bench.Server.Connections);
    }

    private static async Task<TimeSpan> BestOfAsync(Func<Task> work)
    {
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < Tries; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await work();
            var elapsed = Stopwatch.GetElapsedTime(started);
            best = elapsed < best ? elapsed : best;
        }

        return best;
    }
}
