using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// Random work, and after each step what must hold whatever happened. The seed is in every message.
public sealed class HostQueueModelTests
{
    [Fact]
    public void No_step_breaks_a_limit_loses_a_wakeup_or_lets_anybody_starve()
    {
        var firstSeed = Random.Shared.Next();
        for (var seed = firstSeed; seed < firstSeed + 60; seed++)
            RunSteps(seed);
    }

    [Fact]
    public async Task Many_threads_share_a_host_within_its_limit_and_all_come_to_their_end()
    {
        var seed = Random.Shared.Next();
        const int Limit = 5;
        var queue = new HostQueue("registry.example", new RegistryOptions { ConcurrencyStart = Limit, ConcurrencyMax = Limit },
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var most = Limit + TurnOrder.Reserve(Limit);
        var atWork = 0;
        var done = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 4000), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            var random = new Random(seed + i);
            var request = QueueBench.Request((ReadUrgency)random.Next(4), (TurnKind)random.Next(5), random.Next(1000));
            using var impatience = new CancellationTokenSource();
            var entering = queue.EnterAsync(request, impatience.Token);
            if (random.Next(4) == 0)
                request.Priority.RaiseTo(ReadUrgency.Demanded);
            if (random.Next(5) == 0)
                await impatience.CancelAsync();
            try
            {
                using var turn = await entering;
                Assert.InRange(Interlocked.Increment(ref atWork), 1, most);
                await Task.Yield();
                Interlocked.Decrement(ref atWork);
            }
            catch (TurnWaitException)
            {
            }

            Interlocked.Increment(ref done);
        }).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(done == 4000, $"seed {seed}: {done} of 4000");
        Assert.True(queue.Activity is { Active: 0, Waiting: 0 }, $"seed {seed}: {queue.Activity}");
    }

    private static void RunSteps(int seed)
    {
        var random = new Random(seed);
        var bench = new QueueBench(random.Next(1, 10), limitMax: 12);
        var turns = new List<Turn>();
        var wasHeld = new HashSet<Turn>();
        var passedOver = new Dictionary<Turn, int>();
        for (var step = 0; step < 400; step++)
        {
            var limit = bench.Queue.Activity.Limit;
            Step(random, bench, turns, step > 300);
            turns.RemoveAll(t => t.State == Turn.TurnState.Over);
            var began = turns.Where(t => t.IsHeld && !wasHeld.Contains(t)).ToList();
            var where = $"seed {seed}, step {step}";
            CheckAge(turns, began, passedOver, limit == bench.Queue.Activity.Limit ? limit : null, where);
            CheckPlaces(bench, turns, began, Math.Max(limit, bench.Queue.Activity.Limit), where);
            wasHeld = [.. turns.Where(t => t.IsHeld)];
        }

        for (var left = 0; turns.Count > 0; left++)
        {
            Assert.True(left < 10_000, $"seed {seed}: {turns.Count} never go");
            bench.Clock.Advance(TimeSpan.FromSeconds(40));
            turns.Find(t => t.IsHeld)?.Dispose();
            turns.RemoveAll(t => t.State == Turn.TurnState.Over);
        }

        bench.AssertEmpty();
    }

    private static void Step(Random random, QueueBench bench, List<Turn> turns, bool leavesOnly)
    {
        var held = turns.Where(t => t.IsHeld).ToList();
        var waiting = turns.Where(t => t.State == Turn.TurnState.Waiting).ToList();
        switch (leavesOnly ? 5 + random.Next(4) : random.Next(12))
        {
            case < 5:
                turns.Add(bench.Enter(
                    (ReadUrgency)random.Next(4), (TurnKind)random.Next(5), random.Next(3) == 0 ? 0 : random.NextInt64(1 << 24)));
                break;
            case < 8 when held.Count > 0:
                var ends = held[random.Next(held.Count)];
                if (random.Next(6) == 0)
                    bench.Queue.Failed(
                        ends, random.Next(3) == 0 ? TimeSpan.FromSeconds(random.Next(5)) : null, isThrottle: random.Next(2) == 0);
                else
                    bench.Queue.Succeeded(ends);
                ends.Dispose();
                break;
            case 8 when waiting.Count > 0:
                waiting[random.Next(waiting.Count)].Dispose();
                break;
            case 9 when turns.Count > 0:
                turns[random.Next(turns.Count)].Request.Priority.RaiseTo((ReadUrgency)random.Next(4));
                break;
            default:
                bench.Clock.Advance(TimeSpan.FromMilliseconds(random.Next(2000)));
                break;
        }
    }

    private static void CheckPlaces(QueueBench bench, List<Turn> turns, List<Turn> began, int limit, string where)
    {
        var held = turns.Where(t => t.IsHeld).ToList();
        var foreground = held.Count(t => t.IsForeground);

        // Nobody began beyond the limit, except foreground in its reserve.
        var reserve = TurnOrder.Reserve(limit);
        if (began.Count > 0)
            Assert.True(held.Count <= limit || foreground <= reserve, $"{where}: {held.Count} at a limit of {limit}");
        if (began.Exists(t => !t.IsForeground))
            Assert.True(held.Count - foreground <= Math.Max(
                1, limit - reserve), $"{where}: {held.Count - foreground} in the background at a limit of {limit}");

        // Nobody waits who could go.
        var activity = bench.Queue.Activity;
        Assert.True(activity.Active == held.Count, $"{where}: {activity.Active} active, {held.Count} held");
        if (activity.Backoff > TimeSpan.Zero)
            return;
        foreach (var turn in turns.Where(t => t.State == Turn.TurnState.Waiting))
            Assert.False(CouldGo(turn, held.Count, foreground, activity.Limit), $"{where}: {turn.Urgency} waits at {activity}");
    }

    private static bool CouldGo(Turn turn, int held, int foreground, int limit)
    {
        var reserve = TurnOrder.Reserve(limit);
        return turn.IsForeground
            ? held < limit || foreground < reserve
            : held < limit && held - foreground < Math.Max(1, limit - reserve);
    }

    // Whoever waits longest of all sees others begin in its stead eight times at most. (Steps in which several began, or
    // the limit changed, are not looked at: what could have gone at which moment is not to be seen from here.)
    private static void CheckAge(List<Turn> turns, List<Turn> began, Dictionary<Turn, int> passedOver, int? limit, string where)
    {
        if (began.Count != 1 || limit is null
            || turns.Find(t => t.State == Turn.TurnState.Waiting) is not { } oldest || turns.IndexOf(oldest) > turns.IndexOf(began[0]))
            return;
        var before = turns.Where(t => t.IsHeld && t != began[0]).ToList();
        if (!CouldGo(oldest, before.Count, before.Count(t => t.IsForeground), limit.Value))
            return;
        passedOver[oldest] = passedOver.GetValueOrDefault(oldest) + 1;
        Assert.True(passedOver[oldest] <= TurnOrder.PassedOverMax, $"{where}: {oldest.Urgency} was passed over {passedOver[oldest]} times");
    }
}
