using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// Who goes when at one host.
public sealed class HostQueueTests
{
    [Fact]
    public void As_many_go_at_once_as_the_limit_says_and_each_that_leaves_lets_one_go()
    {
        var bench = new QueueBench(limit: 2);
        var turns = Enumerable.Range(0, 4).Select(_ => bench.Demanded()).ToList();
        Assert.Equal([true, true, false, false], turns.Select(t => t.IsHeld));
        turns[1].Dispose();
        Assert.Equal([true, false, true, false], turns.Select(t => t.IsHeld));
        turns[0].Dispose();
        Assert.True(turns[3].IsHeld);
    }

    [Fact]
    public void The_more_urgent_class_goes_first_whoever_came_first()
    {
        var bench = new QueueBench(limit: 1);
        var first = bench.Demanded();
        var waiting = new[] { bench.Background(), bench.Predicted(), bench.Metadata(), bench.Demanded() };
        var order = new List<ReadUrgency>();
        for (var leaving = first; order.Count < 4; leaving = waiting.Single(t => t.IsHeld))
        {
            leaving.Dispose();
            order.Add(waiting.Single(t => t.IsHeld).Urgency);
        }

        Assert.Equal([ReadUrgency.Demanded, ReadUrgency.Metadata, ReadUrgency.Predicted, ReadUrgency.Background], order);
    }

    [Fact]
    public void Inside_a_class_sizes_decide()
    {
        var bench = new QueueBench(limit: 3);
        var active = new[] { bench.Enter(ReadUrgency.Demanded, bytes: 10), bench.Enter(
            ReadUrgency.Demanded, bytes: 20), bench.Enter(ReadUrgency.Demanded, TurnKind.Manifest, 5) };
        var small = bench.Enter(ReadUrgency.Demanded, bytes: 1000);
        var large = bench.Enter(ReadUrgency.Demanded, bytes: 100_000);
        active[0].Dispose();
        Assert.True(large.IsHeld);
        Assert.False(small.IsHeld);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(4, 3)]
    [InlineData(8, 6)]
    [InlineData(32, 24)]
    public void Background_work_leaves_a_quarter_of_the_places_free(int limit, int background)
    {
        var bench = new QueueBench(limit);
        var held = Enumerable.Range(0, limit * 2).Select(i => i % 2 == 0 ? bench.Background() : bench.Predicted()).Count(t => t.IsHeld);
        Assert.Equal(background, held);
        Assert.True(bench.Demanded().IsHeld);
        Assert.Equal(limit - background > 1, bench.Metadata().IsHeld);
    }

    [Fact]
    public void Foreground_may_use_every_place()
    {
        var bench = new QueueBench(limit: 8);
        Assert.All(Enumerable.Range(0, 8).Select(_ => bench.Demanded()).ToList(), t => Assert.True(t.IsHeld));
        Assert.False(bench.Demanded().IsHeld);
        Assert.False(bench.Background().IsHeld);
    }

    [Fact]
    public void Where_background_has_the_only_place_a_demanded_read_goes_all_the_same()
    {
        var bench = new QueueBench(limit: 1);
        var background = bench.Background();
        var demanded = bench.Demanded();
        Assert.True(background.IsHeld && demanded.IsHeld);
        Assert.False(bench.Demanded().IsHeld);
        Assert.Equal((2, 1), (bench.Queue.Activity.Active, bench.Queue.Activity.Waiting));
    }

    [Fact]
    public void A_body_that_settles_gives_its_foreground_place_to_a_demanded_read()
    {
        var bench = new QueueBench(limit: 8);
        var priorities = Enumerable.Range(0, 8).Select(_ => ReadPriority.Metadata()).ToList();
        var bodies = priorities.Select(priority => bench.Queue.Enter(new TurnRequest(priority, new TurnLoad(TurnKind.Blob, 1_000_000))))
            .ToList();
        Assert.All(bodies, turn => Assert.True(turn.IsHeld));
        var demanded = bench.Demanded();
        Assert.False(demanded.IsHeld);
        foreach (var priority in priorities)
            priority.Settle(ReadUrgency.Predicted);
        Assert.True(demanded.IsHeld);
        foreach (var turn in (Turn[])[.. bodies, demanded])
            turn.Dispose();
        bench.AssertEmpty();
    }

    [Fact]
    public void One_that_was_passed_over_eight_times_goes_whatever_its_class()
    {
        var bench = new QueueBench(limit: 1);
        var leaving = bench.Demanded();
        var background = bench.Background();
        for (var passedOver = 0; passedOver < TurnOrder.PassedOverMax; passedOver++)
        {
            var next = bench.Demanded();
            leaving.Dispose();
            Assert.True(next.IsHeld, $"after {passedOver}");
            leaving = next;
        }

        var late = bench.Demanded();
        leaving.Dispose();
        Assert.True(background.IsHeld);
        // And the demanded read goes beyond the limit rather than wait for background work.
        Assert.True(late.IsHeld);
    }

    [Fact]
    public void A_small_blob_is_not_passed_over_for_ever_by_larger_ones()
    {
        var bench = new QueueBench(limit: 3);
        var active = new Queue<Turn>(
            [bench.Enter(ReadUrgency.Demanded, bytes: 10), bench.Enter(ReadUrgency.Demanded, bytes: 20), bench.Metadata()]);
        var small = bench.Enter(ReadUrgency.Demanded, bytes: 1);
        var turns = 0;
        for (var bytes = 1000L; !small.IsHeld; bytes *= 2, turns++)
        {
            Assert.True(turns <= TurnOrder.PassedOverMax, "starves");
            active.Enqueue(bench.Enter(ReadUrgency.Demanded, bytes: bytes));
            active.Dequeue().Dispose();
        }
    }

    [Fact]
    public void A_predicted_read_that_becomes_demanded_goes_like_one()
    {
        var bench = new QueueBench(limit: 4);
        var active = Enumerable.Range(0, 4).Select(_ => bench.Demanded()).ToList();
        var metadata = bench.Metadata();
        var predicted = bench.Predicted();
        predicted.Request.Priority.RaiseTo(ReadUrgency.Demanded);
        Assert.False(predicted.IsHeld);
        active[0].Dispose();
        Assert.True(predicted.IsHeld);
        Assert.False(metadata.IsHeld);
    }

    [Fact]
    public void A_raise_alone_lets_it_go_where_only_foreground_may()
    {
        var bench = new QueueBench(limit: 4);
        var background = Enumerable.Range(0, 4).Select(_ => bench.Background()).ToList();
        Assert.False(background[3].IsHeld);
        background[3].Request.Priority.RaiseTo(ReadUrgency.Demanded);
        Assert.True(background[3].IsHeld);
    }

    [Fact]
    public void One_on_its_way_that_is_raised_makes_room_for_background()
    {
        var bench = new QueueBench(limit: 4);
        var background = Enumerable.Range(0, 4).Select(_ => bench.Background()).ToList();
        background[0].Request.Priority.RaiseTo(ReadUrgency.Metadata);
        Assert.True(background[3].IsHeld);
    }

    [Fact]
    public async Task Giving_up_in_the_queue_leaves_nothing_behind()
    {
        var bench = new QueueBench(limit: 1);
        var first = bench.Demanded();
        using var impatience = new CancellationTokenSource();
        var second = bench.Queue.EnterAsync(QueueBench.Request(ReadUrgency.Demanded), impatience.Token).AsTask();
        var third = bench.Demanded();
        bench.Clock.Advance(TimeSpan.FromSeconds(7));
        await impatience.CancelAsync();
        var error = await Assert.ThrowsAsync<TurnWaitException>(() => second);
        Assert.Equal("waited 7 s for a turn at registry.example", error.Message);
        Assert.Equal(impatience.Token, error.CancellationToken);
        Assert.Equal((1, 1), (bench.Queue.Activity.Active, bench.Queue.Activity.Waiting));
        first.Dispose();
        Assert.True(third.IsHeld);
        third.Dispose();
        bench.AssertEmpty();
    }

    [Fact]
    public async Task One_that_gives_up_at_the_moment_it_is_let_go_passes_its_place_on()
    {
        // The continuation that would take the place runs after the token is cancelled: the wait ends one way or the other,
        // and in both the place is free for the next one.
        for (var round = 0; round < 200; round++)
        {
            var bench = new QueueBench(limit: 1);
            var first = bench.Demanded();
            using var impatience = new CancellationTokenSource();
            var second = bench.Queue.EnterAsync(QueueBench.Request(ReadUrgency.Demanded), impatience.Token).AsTask();
            var third = bench.Demanded();
            using var start = new Barrier(2);
            var cancel = Task.Run(() =>
            {
                start.SignalAndWait();
                impatience.Cancel();
            });
            start.SignalAndWait();
            first.Dispose();
            await cancel;
            try
            {
                (await second).Dispose();
            }
            catch (TurnWaitException)
            {
            }

            Assert.True(third.IsHeld);
            third.Dispose();
            bench.AssertEmpty();
        }
    }

    [Fact]
    public void A_turn_that_is_given_back_twice_is_given_back_once()
    {
        var bench = new QueueBench(limit: 1);
        var first = bench.Demanded();
        var waiting = new[] { bench.Demanded(), bench.Demanded() };
        first.Dispose();
        first.Dispose();
        Assert.Equal([true, false], waiting.Select(t => t.IsHeld));
    }

    [Fact]
    public void Trying_takes_a_free_place_and_never_queues()
    {
        var bench = new QueueBench(limit: 1);
        using var held = bench.Queue.TryEnter(QueueBench.Request(ReadUrgency.Demanded));
        Assert.NotNull(held);
        Assert.Null(bench.Queue.TryEnter(QueueBench.Request(ReadUrgency.Demanded)));
        Assert.Equal((1, 0), (bench.Queue.Activity.Active, bench.Queue.Activity.Waiting));
    }

    [Fact]
    public void The_limit_grows_by_one_after_as_many_successes_as_it_is_while_somebody_waits()
    {
        var bench = new QueueBench(limit: 2, limitMax: 3);
        var active = new Queue<Turn>([bench.Demanded(), bench.Demanded()]);
        Succeed();
        Succeed();
        Assert.Equal(2, bench.Queue.Activity.Limit); // Nobody waited.
        for (var i = 0; i < 8; i++)
            active.Enqueue(bench.Demanded());
        Succeed();
        Assert.Equal(2, bench.Queue.Activity.Limit);
        Succeed();
        Assert.Equal(3, bench.Queue.Activity.Limit);
        Assert.Equal(3, bench.Queue.Activity.Active);
        Succeed();
        Succeed();
        Succeed();
        Assert.Equal(3, bench.Queue.Activity.Limit); // The most it may be.

        void Succeed()
        {
            var turn = active.Dequeue();
            bench.Queue.Succeeded(turn);
            turn.Dispose();
        }
    }

    [Fact]
    public void A_host_that_is_asked_too_much_is_asked_half_as_much_once_for_all_on_their_way()
    {
        var bench = new QueueBench(limit: 8);
        var wave = Enumerable.Range(0, 8).Select(_ => bench.Demanded()).ToList();
        foreach (var turn in wave)
        {
            bench.Queue.Failed(turn, isThrottle: true);
            turn.Dispose();
        }

        Assert.Equal(4, bench.Queue.Activity.Limit);
        Assert.Equal(1, bench.Queue.Activity.Failures);
        for (var limit = 2; limit >= 1; limit--)
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(10));
            var next = bench.Demanded();
            Assert.True(next.IsHeld);
            bench.Queue.Failed(next, isThrottle: true);
            next.Dispose();
            Assert.Equal(limit, bench.Queue.Activity.Limit);
        }

        bench.Clock.Advance(TimeSpan.FromSeconds(10));
        var last = bench.Demanded();
        bench.Queue.Failed(last, isThrottle: true);
        Assert.Equal(ConcurrencyLimit.Min, bench.Queue.Activity.Limit);
    }

    [Fact]
    public void A_host_in_trouble_gets_one_request_per_delay_and_the_most_urgent_first()
    {
        var bench = new QueueBench(limit: 8);
        var failed = bench.Demanded();
        bench.Queue.Failed(failed);
        failed.Dispose();
        var background = bench.Background();
        var predicted = bench.Predicted();
        var demanded = bench.Demanded();
        Assert.False(background.IsHeld || predicted.IsHeld || demanded.IsHeld);

        foreach (var next in (ReadOnlySpan<Turn>)[demanded, predicted, background])
        {
            var wait = bench.Queue.Activity.Backoff;
            Assert.InRange(wait.TotalMilliseconds, 98, next == demanded ? 125 : 100);
            bench.Clock.Advance(wait - TimeSpan.FromMilliseconds(1));
            Assert.False(next.IsHeld);
            bench.Clock.Advance(TimeSpan.FromMilliseconds(2));
            Assert.True(next.IsHeld);
        }
    }

    [Fact]
    public void A_raise_counts_in_a_backoff_too()
    {
        var bench = new QueueBench(limit: 8);
        var failed = bench.Demanded();
        bench.Queue.Failed(failed, TimeSpan.FromSeconds(3));
        var metadata = bench.Metadata();
        var predicted = bench.Predicted();
        predicted.Request.Priority.RaiseTo(ReadUrgency.Demanded);
        bench.Clock.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(predicted.IsHeld || metadata.IsHeld);
        bench.Clock.Advance(TimeSpan.FromSeconds(0.11));
        Assert.True(predicted.IsHeld);
        Assert.False(metadata.IsHeld);
    }

    [Fact]
    public void When_the_last_one_leaves_nothing_stays_but_what_was_learned()
    {
        var bench = new QueueBench(limit: 4);
        Assert.True(bench.Queue.IsIdle);
        var turns = Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? bench.Demanded() : bench.Background()).ToList();
        bench.Queue.Failed(turns[0], isThrottle: true);
        Assert.False(bench.Queue.IsIdle);
        for (var i = 0; i < 40; i++)
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(1));
            turns.Find(t => t.IsHeld)?.Dispose();
        }

        bench.AssertEmpty();
        Assert.Equal(2, bench.Queue.Activity.Limit);
        Assert.False(bench.Queue.IsIdle); // Its failure is remembered,
        bench.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.True(bench.Queue.IsIdle); // for a while.
    }
}
