using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Memory;
using LazySnapshotter.Registry.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// Places at several hosts at once: the cases regclient tests AcquireMulti by (technique S1.6), and what our rule "nobody who
// holds a place waits for one" adds to them. Queues have one place each; a group's places are background, so what
// tries a queue here is background too.
public sealed class TurnGroupTests
{
    private readonly QueueBench _bench = new(limit: 1);
    private readonly HostQueue[] _queues;

    public TurnGroupTests() => _queues = [.. Enumerable.Range(0, 4).Select(i => _bench.New($"host{i}.example"))];

    [Fact]
    public async Task No_queue_is_no_obstacle() => Assert.Equal(5, await InGroupAsync([], () => Task.FromResult(5)));

    [Fact]
    public async Task A_queue_named_twice_is_taken_once()
    {
        await InGroupAsync([0, 0], () =>
        {
            Assert.Equal(1, _queues[0].Activity.Active);
            return Task.FromResult(0);
        });
        AssertAllFree();
    }

    [Fact]
    public async Task Inside_its_own_requests_wait_for_no_place_and_others_do()
    {
        await InGroupAsync([0, 1, 0, 1, 0], async () =>
        {
            Assert.True(TurnGroup.IsInside);
            foreach (var i in (ReadOnlySpan<int>)[0, 1])
            {
                using var own = _queues[i].Enter(Background() with { NeedsPlace = !TurnGroup.IsInside });
                using var again = _queues[i].Enter(Background() with { NeedsPlace = !TurnGroup.IsInside });
                Assert.True(own.IsHeld && again.IsHeld);
                Assert.Null(_queues[i].TryEnter(Background()));
                Assert.Equal(1, _queues[i].Activity.Active);
            }

            await Task.Yield();
            Assert.True(TurnGroup.IsInside);
            return 0;
        });
        Assert.False(TurnGroup.IsInside);
        AssertAllFree();
    }

    [Fact]
    public async Task A_group_inside_a_group_is_a_mistake() =>
        await InGroupAsync([0], async () =>
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => InGroupAsync([2], () => Task.FromResult(0)));
            return 0;
        });

    [Fact]
    public async Task What_goes_on_after_its_group_queues_like_everybody_else()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stray = Task.FromResult(true);
        var wasInside = await InGroupAsync([0], async () =>
        {
            var started = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            stray = Task.Run(async () =>
            {
                started.SetResult(TurnGroup.IsInside);
                await ended.Task;
                return TurnGroup.IsInside;
            });
            return await started.Task;
        });
        ended.SetResult();
        Assert.True(wasInside);
        Assert.False(await stray);
    }

    [Fact]
    public async Task Whichever_of_its_queues_is_busy_a_group_waits_for_that_one_and_holds_none_meanwhile()
    {
        var holders = _queues[..3].Select(q => q.Enter(Background())).ToList();
        var ended = new bool[3];
        var first = EndingAsync(0, [0, 3]);      // its first is busy
        var last = EndingAsync(1, [3, 1]);       // its last
        var middle = EndingAsync(2, [0, 2, 1, 3]); // 0 and 1 become free before 2
        Assert.Equal([false, false, false], ended);
        Assert.Equal(0, _queues[3].Activity.Active);

        holders[0].Dispose();
        await first;
        Assert.Equal([true, false, false], ended);
        holders[1].Dispose();
        await last;
        Assert.Equal([true, true, false], ended);
        Assert.Equal(0, _queues[0].Activity.Active);
        holders[2].Dispose();
        await middle;
        AssertAllFree();

        async Task EndingAsync(int number, int[] queues)
        {
            await InGroupAsync(queues, () => Task.FromResult(0));
            ended[number] = true;
        }
    }

    [Fact]
    public async Task Who_learns_what_a_group_waits_for_does_not_wait_for_the_groups_place()
    {
        var blob = Digest.OfSha256("blob"u8);
        using var memory = new RegistryMemory(_bench.Options, NullLogger.Instance);
        var cell = new BlobLocationCell(
            _bench.Clock, new LocationMemory(memory, "host0.example", "library/python", blob, () => false, _bench.Clock));
        var priority = ReadPriority.Background();
        Assert.Null(await cell.GetOrLeadAsync(RequestSubject.Blob(blob, null), priority, CancellationToken.None));
        await InGroupAsync([0], async () =>
        {
            using var leader = _queues[0].Enter(new TurnRequest(priority, new TurnLoad(TurnKind.Blob, 0)));
            Assert.False(leader.IsHeld);
            var waits = cell.GetOrLeadAsync(RequestSubject.Blob(blob, null), ReadPriority.Background(), CancellationToken.None).AsTask();
            Assert.True(leader.IsHeld);
            cell.Failed(null);
            return await waits;
        });
        AssertAllFree();
    }

    [Fact]
    public async Task A_group_that_is_given_up_leaves_nothing_behind()
    {
        var holder = _queues[1].Enter(Background());
        using var impatience = new CancellationTokenSource();
        var group = InGroupAsync([0, 1, 2], () => Task.FromResult(0), impatience.Token);
        Assert.Equal(1, _queues[1].Activity.Waiting);
        await impatience.CancelAsync();
        Assert.Equal("waited 0 s for a turn at host1.example", (await Assert.ThrowsAsync<TurnWaitException>(() => group)).Message);
        holder.Dispose();
        AssertAllFree();
    }

    [Fact]
    public async Task Work_that_fails_gives_its_places_back()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => InGroupAsync<int>([0, 1], () => throw new InvalidDataException()));
        AssertAllFree();
    }

    [Fact]
    public async Task A_backoff_holds_up_requests_and_not_the_taking_of_places()
    {
        _queues[0].Failed(null, TimeSpan.FromSeconds(10));
        await InGroupAsync([0, 1], () =>
        {
            var own = _queues[0].Enter(Background() with { NeedsPlace = false });
            Assert.False(own.IsHeld);
            _bench.Clock.Advance(TimeSpan.FromSeconds(11));
            Assert.True(own.IsHeld);
            own.Dispose();
            return Task.FromResult(0);
        });
        AssertAllFree();
    }

    [Fact]
    public async Task What_a_group_comes_to_wait_for_gets_past_it()
    {
        // A token that somebody outside fetches from a host all of whose places groups have.
        await InGroupAsync([0], () =>
        {
            using var token = _queues[0].TryEnter(QueueBench.Request(ReadUrgency.Metadata, TurnKind.Head));
            Assert.NotNull(token);
            return Task.FromResult(0);
        });
    }

    [Fact]
    public async Task Groups_over_random_hosts_in_random_order_never_wait_for_each_other_in_a_ring()
    {
        var seed = Random.Shared.Next();
        var work = Enumerable.Range(0, 400).Select(i =>
        {
            var random = new Random(seed + i);
            var queues = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(4)).ToArray();
            return Task.Run(() => InGroupAsync(queues, async () =>
            {
                await Task.Yield();
                return 0;
            }));
        });
        try
        {
            await Task.WhenAll(work).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            Assert.Fail($"seed {seed}: {string.Join(", ", _queues.Select(q => q.Activity))}");
        }

        AssertAllFree();
    }

    private static TurnRequest Background() => QueueBench.Request(ReadUrgency.Background);

    private Task<T> InGroupAsync<T>(int[] queues, Func<Task<T>> work, CancellationToken cancellationToken = default) =>
        TurnGroup.RunAsync(queues.Select(i => _queues[i]), new TurnLoad(TurnKind.Blob, 0), work, cancellationToken);

    private void AssertAllFree() => Assert.All(_queues, queue =>
    {
        Assert.Equal((0, 0), (queue.Activity.Active, queue.Activity.Waiting));
        var next = queue.TryEnter(Background() with { NeedsTime = false });
        Assert.NotNull(next);
        next.Dispose();
    });
}
