using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// Turns where they matter: between a client and a registry. The order in which requests came is the registry's.
public sealed class TurnsOverTheWireTests
{
    private static readonly RegistryOptions OneAtATime = Bench.Impatient with { ConcurrencyStart = 1, ConcurrencyMax = 1 };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_read_has_its_place_until_its_body_is_at_its_end_or_closed(bool isReadToItsEnd)
    {
        await using var bench = await Bench.StartAsync(client: OneAtATime);
        var first = await OpenAsync(bench, 0, ReadPriority.Demanded());
        var second = OpenAsync(bench, 1000, ReadPriority.Demanded());
        await WaitingAsync(bench, 1);
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Blob));
        if (isReadToItsEnd)
            await Bench.ReadAllAsync(first);
        else
            await first.DisposeAsync();
        await (await second).DisposeAsync();
        await first.DisposeAsync();
        AssertNobodyThere(bench);
    }

    [Fact]
    public async Task Pings_tokens_and_redirects_keep_no_place_from_what_follows_them()
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true }, OneAtATime);
        await bench.AssertReadsAsync(0, 1000);
        bench.Server.Tokens.RevokeAll();
        bench.Server.SignedUrls.RevokeAll();
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal("Ping Token Blob Cdn Cdn Blob Token Blob Cdn", bench.TakeRequests());
        AssertNobodyThere(bench);
    }

    [Fact]
    public async Task The_more_urgent_read_is_sent_first_and_a_raised_one_counts_as_what_it_was_raised_to()
    {
        await using var bench = await Bench.StartAsync(client: OneAtATime);
        var first = await OpenAsync(bench, 0, ReadPriority.Demanded());
        var raised = ReadPriority.Background();
        var reads = new List<Task>();
        foreach (var (offset, priority) in new[]
        {
            (1000, ReadPriority.Background()), (2000, ReadPriority.Predicted()), (3000, raised), (4000, ReadPriority.Demanded()),
                (5000, ReadPriority.Metadata()),
        })
        {
            reads.Add(ReadAsync(bench, offset, priority));
            await WaitingAsync(bench, reads.Count);
        }

        raised.RaiseTo(ReadUrgency.Demanded);
        bench.Server.ClearLog();
        await first.DisposeAsync();
        await Task.WhenAll(reads);
        Assert.Equal([3000, 4000, 5000, 2000, 1000], bench.Server.Requests.Select(r => int.Parse(r.Range!.Split('=', '-')[1])));
    }

    [Fact]
    public async Task Who_learns_where_a_blob_lies_is_as_urgent_as_those_who_wait_for_it()
    {
        await using var bench = await Bench.StartAsync(client: OneAtATime);
        var first = await OpenAsync(bench, 0, ReadPriority.Demanded());
        var other = bench.Server.Content.AddBlob(Bench.Repository, new byte[5000]);
        var blob = bench.Client.OpenBlob(bench.Reference, other.Digest, other.Size);
        var predicted = ReadAsync(bench, 1000, ReadPriority.Predicted());
        await WaitingAsync(bench, 1);
        var leader = ReadAsync(bench, 100, ReadPriority.Background(), blob);
        await WaitingAsync(bench, 2);
        var follower = ReadAsync(bench, 200, ReadPriority.Demanded(), blob);
        bench.Server.ClearLog();
        await first.DisposeAsync();
        await Task.WhenAll(predicted, leader, follower);
        Assert.Equal("bytes=100-109", bench.Server.Requests.First().Range);
    }

    [Fact]
    public async Task Background_work_leaves_a_place_for_a_read_somebody_waits_for()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { ConcurrencyStart = 4, ConcurrencyMax = 4 });
        await bench.AssertReadsAsync(0, 1);
        var background = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => OpenAsync(bench, i * 1000, ReadPriority.Background())));
        var more = OpenAsync(bench, 9000, ReadPriority.Background());
        await WaitingAsync(bench, 1);
        await bench.AssertReadsAsync(5000, 1000);
        Assert.False(more.IsCompleted);
        foreach (var stream in background)
            await stream.DisposeAsync();
        await (await more).DisposeAsync();
    }

    [Fact]
    public async Task A_deadline_that_passes_in_the_queue_says_so()
    {
        await using var bench = await Bench.StartAsync(client: OneAtATime with { RangeDeadline = TimeSpan.FromMilliseconds(400) });
        await using var first = await OpenAsync(bench, 0, ReadPriority.Demanded());
        var error = await bench.FailsAsync(1000, 10);
        Assert.Equal(RegistryFailure.TimedOut, error.Failure);
        Assert.Matches(
            $@"{bench.Blob.Digest} bytes 1000-1009: not done within the deadline of 0\.4 s: " +
                $@"waited 0\.\d+ s for a turn at {bench.Server.Host}$",
            error.Message);
        Assert.Equal(0, bench.Client.HostActivity.Single().Waiting);
    }

    [Fact]
    public async Task A_reader_that_gives_up_in_the_queue_leaves_it_to_the_next()
    {
        await using var bench = await Bench.StartAsync(client: OneAtATime);
        var first = await OpenAsync(bench, 0, ReadPriority.Demanded());
        using var impatience = new CancellationTokenSource();
        var second = bench.OpenBlob().OpenExactRangeAsync(1000, 10, ReadPriority.Demanded(), impatience.Token);
        await WaitingAsync(bench, 1);
        var third = bench.AssertReadsAsync(2000, 10);
        await WaitingAsync(bench, 2);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await first.DisposeAsync();
        await third;
        Assert.Equal("Ping Blob Blob", bench.TakeRequests());
        AssertNobodyThere(bench);
    }

    [Fact]
    public async Task The_wait_for_a_turn_is_in_the_report_of_the_hop()
    {
        var hops = new System.Collections.Concurrent.ConcurrentQueue<RegistryHop>();
        await using var bench = await Bench.StartAsync(client: OneAtATime with { OnHop = hops.Enqueue });
        var first = await OpenAsync(bench, 0, ReadPriority.Demanded());
        var second = bench.AssertReadsAsync(1000, 10);
        await WaitingAsync(bench, 1);
        await Task.Delay(30);
        await first.DisposeAsync();
        await second;
        Assert.Equal(TimeSpan.Zero, hops.ToArray()[^2].QueueWait);
        var wait = hops.Last().QueueWait;
        Assert.InRange(wait, TimeSpan.FromMilliseconds(25), TimeSpan.FromSeconds(20));
        Assert.Equal(wait, bench.Client.Statistics.QueueWait);
    }

    [Theory]
    [InlineData(429, 4)]
    [InlineData(503, 4)]
    [InlineData(500, 8)]
    public async Task A_host_that_is_asked_too_much_is_asked_half_as_much(int status, int limit)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Blob, times: 1));
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal(limit, bench.Client.HostActivity.Single(h => h.Host == bench.Server.Host).Limit);
    }

    [Fact]
    public async Task A_host_that_sustains_it_is_asked_more_at_once()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { ConcurrencyStart = 1, ConcurrencyMax = 4 });
        await bench.AssertReadsAsync(0, 1);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => bench.AssertReadsAsync(i * 1000, 1000)));
        Assert.InRange(bench.Client.HostActivity.Single().Limit, 2, 4);
    }

    [Fact]
    public async Task Copies_inside_one_registry_that_answers_one_at_a_time_come_to_their_end()
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true, Mounts = false }, OneAtATime);
        await CopyAsync(bench.Client, [.. Enumerable.Range(0, 6).Select(i => (bench.Server, bench.Server, Add(bench.Server, i)))]);
        AssertNobodyThere(bench);
    }

    [Fact]
    public async Task Copies_in_both_directions_between_two_registries_do_not_wait_for_each_other()
    {
        await using var bench = await Bench.StartAsync(client: OneAtATime);
        await using var other = await TestRegistry.StartAsync();
        await CopyAsync(bench.Client, [.. Enumerable.Range(0, 8).Select(i => i % 2 == 0
            ? (bench.Server, other, Add(bench.Server, i))
            : (other, bench.Server, Add(other, i)))]);
        AssertNobodyThere(bench);
    }

    private static Descriptor Add(TestRegistry registry, int i) =>
        registry.Content.AddBlob("from/here", [.. Enumerable.Repeat((byte)i, 200_000)]);

    private static async Task CopyAsync(RegistryClient client, (TestRegistry From, TestRegistry To, Descriptor Blob)[] copies)
    {
        var ends = await Task.WhenAll(copies.Select(copy => client.PushBlobAsync(
            copy.To.Reference("to/there"), BlobContent.OfRemote(
                client.OpenBlob(copy.From.Reference("from/here"), copy.Blob.Digest, copy.Blob.Size)), null, null, CancellationToken.None)))
            .WaitAsync(TimeSpan.FromSeconds(60));
        Assert.All(ends, end => Assert.Equal(BlobPush.Uploaded, end));
    }

    private static async Task<Stream> OpenAsync(Bench bench, long offset, ReadPriority priority) =>
        await bench.OpenBlob().OpenExactRangeAsync(offset, 1000, priority, CancellationToken.None);

    private static async Task ReadAsync(Bench bench, long offset, ReadPriority priority, RemoteBlob? blob = null)
    {
        await using var stream = await (blob ?? bench.OpenBlob()).OpenExactRangeAsync(offset, 10, priority, CancellationToken.None);
        await Bench.ReadAllAsync(stream);
    }

    private static async Task WaitingAsync(Bench bench, int count)
    {
        while (bench.Client.HostActivity.Sum(h => h.Waiting) != count)
            await Task.Delay(2);
    }

    private static void AssertNobodyThere(Bench bench) =>
        Assert.All(bench.Client.HostActivity, host => Assert.Equal((0, 0), (host.Active, host.Waiting)));
}
