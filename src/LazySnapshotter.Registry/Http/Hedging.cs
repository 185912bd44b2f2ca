using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Http;

// A second request for a read somebody waits for, when the first stays unanswered far longer than its peers: usually it is
// that one connection, or that one machine behind the host's name. The rule:
// - only a ranged GET of a blob, demanded when its patience ends, at a host that is not backing off;
// - patience is four times the 95th percentile of the host's last 64 answers to such requests (from 16 on), at
//   least HedgeFloor;
// - once per request, on a connection of its own, only if the host has a place free now, and within HedgeBudget;
//   never at a host with failures to make up for: it gets one request per delay, and that one is not wasted on this;
// - the first head that is an answer wins, and the other request is cancelled. One that fails, or is told to come back
//   later, waits for the other; when both do, the first request's failure is what the caller sees.
internal sealed class Hedging(RegistryOptions options, RegistryStatistics statistics)
{
    private const int PeersFactor = 4;

    /// <param name="turn">Held; it goes to <paramref name="send"/>, which gives it back or attaches it to the response.</param>
    public async Task<HttpResponseMessage> SendAsync(
        HostQueue queue, Turn turn, HopRequest hop, Func<HostQueue, Turn, HopRequest, CancellationToken, Task<HttpResponseMessage>> send,
        CancellationToken cancellationToken)
    {
        if (hop.Subject.Kind != RegistryRequestKind.Blob || hop.Range is null || hop.Method != HttpMethod.Get)
            return await send(queue, turn, hop, cancellationToken);
        queue.Hedges.CountRequest();
        if (PatienceWith(queue) is not { } patience)
            return await send(queue, turn, hop, cancellationToken);

        var firstEnds = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = send(queue, turn, hop, firstEnds.Token);
        if (await IsAnsweredWithinAsync(first, patience, cancellationToken) || TakeSecondTurn(queue, turn) is not { } secondTurn)
        {
            using (firstEnds)
                return await first;
        }

        statistics.CountHedge();
        var secondEnds = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var second = send(queue, secondTurn, hop with { IsHedge = true }, secondEnds.Token);
        var winner = await WinnerAsync(first, second);
        if (winner == second)
            statistics.CountHedgeWon();
        _ = EndAsync(winner == first ? second : first, winner == first ? secondEnds : firstEnds);
        using (winner == first ? firstEnds : secondEnds)
            return await winner;
    }

    private TimeSpan? PatienceWith(HostQueue queue)
    {
        if (options.HedgeFloor == Timeout.InfiniteTimeSpan || queue.Answers.Percentile95 is not { } usual)
            return null;
        var patience = usual * PeersFactor;
        return patience > options.HedgeFloor ? patience : options.HedgeFloor;
    }

    private async Task<bool> IsAnsweredWithinAsync(Task answer, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (answer.IsCompleted)
            return true;
        using var answered = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = await Task.WhenAny(answer, Task.Delay(patience, options.Clock, answered.Token));
        await answered.CancelAsync();
        return first == answer || cancellationToken.IsCancellationRequested;
    }

    private static Turn? TakeSecondTurn(HostQueue queue, Turn first)
    {
        // A place that is taken is a request to the backoff, though nothing is sent: so it is taken last.
        if (first.Urgency != ReadUrgency.Demanded
            || queue.IsTroubled || !queue.Hedges.HasAny || queue.TryEnter(first.Request) is not { } second)
            return null;
        if (queue.Hedges.TryTake())
            return second;
        second.Dispose();
        return null;
    }

    private static async Task<Task<HttpResponseMessage>> WinnerAsync(Task<HttpResponseMessage> first, Task<HttpResponseMessage> second)
    {
        var earlier = await Task.WhenAny(first, second) == first ? first : second;
        if (IsAnswer(earlier))
            return earlier;
        var later = earlier == first ? second : first;
        await Task.WhenAny(later);
        return IsAnswer(later) ? later : first;
    }

    private static bool IsAnswer(Task<HttpResponseMessage> hop) =>
        hop.IsCompletedSuccessfully && !TransientStatus.Is(hop.Result.StatusCode);

    // Nobody will look at it any more. A response that came all the same gives its turn back.
    private static async Task EndAsync(Task<HttpResponseMessage> loser, CancellationTokenSource ends)
    {
        using (ends)
        {
            await ends.CancelAsync();
            await Task.WhenAny(loser);
            if (loser.IsCompletedSuccessfully)
                loser.Result.Dispose();
        }
    }
}
