using System.Diagnostics;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// The simulated link is a measuring instrument: what it says must be so.
public sealed class LinkTests
{
    [Fact]
    public async Task Bodies_share_the_bandwidth_and_it_is_what_was_asked_for()
    {
        var link = new LinkProfile(TimeSpan.Zero, 500_000_000);
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Link = link });
        var content = new byte[8 << 20];
        var blob = bench.Server.Content.AddBlob(Bench.Repository, content);
        await bench.AssertReadsAsync(0, 1);

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var stream = await bench.Client.OpenBlob(bench.Reference, blob.Digest, blob.Size).OpenAsync(CancellationToken.None);
            await stream.CopyToAsync(Stream.Null);
        }));
        var expected = 4.0 * content.Length * 8 / link.BitsPerSecond;
        // Never faster than the link; how much slower depends on what else this machine does.
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, expected * 0.95, expected * 2);
    }

    [Fact]
    public async Task A_request_on_an_open_connection_takes_one_round_trip_and_a_new_connection_one_more()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Link = new LinkProfile(TimeSpan.FromMilliseconds(100), 0) });
        var started = Stopwatch.GetTimestamp();
        await bench.AssertReadsAsync(0, 1); // connection, ping, blob
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 295, 900);
        started = Stopwatch.GetTimestamp();
        await bench.AssertReadsAsync(0, 1);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 98, 500);
        Assert.Equal(1, bench.Server.Connections);
    }
}
