using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// A read whose answer does not come while others' do. "Does not come" is a fault that would hold it up for an hour: what
// ends such a read is the second request, or nothing.
public sealed class HedgingTests
{
    private static readonly TimeSpan AnHour = TimeSpan.FromHours(1);

    // No other way out than a hedge.
    private static readonly RegistryOptions Patient = Bench.Impatient with
    {
        HedgeFloor = TimeSpan.FromMilliseconds(20),
        ResponseTimeout = AnHour,
        RangeDeadline = AnHour,
        RetryLimit = 0,
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_demanded_read_that_stays_unanswered_is_asked_for_once_more_on_another_connection(bool isHttp2)
    {
        await using var bench = await StartAsync(new TestRegistryOptions { Tls = isHttp2 }, Patient with { PlainHttp = _ => !isHttp2 });
        var connections = bench.Server.Connections;
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = AnHour, Times = 1 });
        await bench.AssertReadsAsync(1000, 200_000);
        Assert.Equal("Blob Blob", bench.TakeRequests());
        Assert.Equal((1, 1), (bench.Client.Statistics.Hedges, bench.Client.Statistics.HedgesWon));
        Assert.Equal(connections + 1, bench.Server.Connections);
        await NobodyThereAsync(bench);
        Assert.Equal(0, bench.Client.HostActivity.Single().Failures); // What we cancelled is not the host's failure.
    }

    [Fact]
    public async Task A_slow_answer_that_still_comes_first_is_taken()
    {
        await using var bench = await StartAsync(null, Patient);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(2), Times = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = AnHour, Times = 1 });
        await bench.AssertReadsAsync(1000, 200_000);
        Assert.Equal((1, 0), (bench.Client.Statistics.Hedges, bench.Client.Statistics.HedgesWon));
        await NobodyThereAsync(bench);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(0)]
    public async Task A_second_request_that_fails_does_not_take_the_first_with_it(int status)
    {
        await using var bench = await StartAsync(null, Patient);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(4), Times = 1 });
        bench.Server.Faults.Add(status == 0
            ? new Fault { Kind = TestRequestKind.Blob, ResetBeforeAnswer = true, Times = 1 }
            : Fault.Status(status, TestRequestKind.Blob, times: 1));
        await bench.AssertReadsAsync(1000, 200_000);
        Assert.Equal((1, 0), (bench.Client.Statistics.Hedges, bench.Client.Statistics.HedgesWon));
        await NobodyThereAsync(bench);
    }

    [Theory]
    [InlineData(ReadUrgency.Predicted)]
    [InlineData(ReadUrgency.Background)]
    public async Task A_read_nobody_waits_for_is_asked_for_once(ReadUrgency urgency)
    {
        await using var bench = await StartAsync(null, Patient);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(2), Times = 1 });
        await using (await bench.OpenBlob().OpenExactRangeAsync(0, 10, new ReadPriority(urgency), CancellationToken.None))
            Assert.Equal("Blob", bench.TakeRequests());
        Assert.Equal(0, bench.Client.Statistics.Hedges);
    }

    [Fact]
    public async Task A_host_that_is_slow_for_everybody_is_not_asked_twice_as_much()
    {
        // 40 requests earned two hedges, no more: the third slow read waits.
        await using var bench = await StartAsync(null, Patient, reads: 40);
        bench.Server.Faults.Add(
            new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(2), When = r => r.Range == "bytes=2000-2009" });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = AnHour, Times = 1, When = r => r.Range == "bytes=0-9" });
        bench.Server.Faults.Add(
            new Fault { Kind = TestRequestKind.Blob, Delay = AnHour, Times = 1, When = r => r.Range == "bytes=1000-1009" });
        await bench.AssertReadsAsync(0, 10);
        await bench.AssertReadsAsync(1000, 10);
        Assert.Equal(2, bench.Client.Statistics.Hedges);
        await bench.AssertReadsAsync(2000, 10);
        Assert.Equal(2, bench.Client.Statistics.Hedges);
        Assert.Equal("Blob Blob Blob Blob Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_host_without_a_free_place_is_not_asked_again()
    {
        await using var bench = await StartAsync(null, Patient with { ConcurrencyStart = 1, ConcurrencyMax = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(2), Times = 1 });
        await bench.AssertReadsAsync(1000, 10);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_host_with_a_failure_to_make_up_for_is_not_asked_again()
    {
        await using var bench = await StartAsync(null, Patient);
        bench.Server.Faults.Add(Fault.Status(503, TestRequestKind.Blob, times: 1));
        await Assert.ThrowsAsync<RegistryException>(() => bench.AssertReadsAsync(0, 10));
        bench.TakeRequests();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(2), Times = 1 });
        await bench.AssertReadsAsync(1000, 10);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_reader_that_gives_up_ends_both()
    {
        await using var bench = await StartAsync(null, Patient);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = AnHour });
        using var impatience = new CancellationTokenSource();
        var read = bench.OpenBlob().OpenExactRangeAsync(0, 10, ReadPriority.Demanded(), impatience.Token);
        while (bench.Server.Count(TestRequestKind.Blob) < 2)
            await Task.Delay(5);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await NobodyThereAsync(bench);
        Assert.Equal((0, 0), (bench.Client.Statistics.Failures, bench.Client.Statistics.TroublesOf(RequestTrouble.NoResponse)));
    }

    [Fact]
    public async Task Without_peers_to_compare_with_nothing_is_asked_again()
    {
        await using var bench = await Bench.StartAsync(client: Patient);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromMilliseconds(500), Times = 1 });
        await bench.AssertReadsAsync(0, 10);
        Assert.Equal("Ping Blob", bench.TakeRequests());
    }

    // With answers to compare with, all of them quick.
    private static async Task<Bench> StartAsync(TestRegistryOptions? server, RegistryOptions client, int reads = 20)
    {
        var bench = await Bench.StartAsync(server, client);
        for (var i = 0; i < reads; i++)
            await bench.AssertReadsAsync(i * 1000, 10);
        bench.TakeRequests();
        return bench;
    }

    // The loser is ended behind the reader's back.
    private static async Task NobodyThereAsync(Bench bench)
    {
        while (bench.Client.HostActivity.Any(h => h.Active + h.Waiting > 0))
            await Task.Delay(2);
    }
}
