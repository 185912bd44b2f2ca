using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// Repeats what failed with a failure that may pass. The waiting in between is not here: it belongs to the host that
// failed (HostBackoff), and the next hop to that host waits there. Loops are inside each other (a blob needs a token, a
// token a ping), and the innermost one's repetitions are enough: six pings are six requests, not six times six. A loop that
// may not repeat leaves it to the outer one. Where somebody decides by the outcome, what may pass is repeated once.
internal static class RetryLoop
{
    private const int DecisionRetryLimit = 1;

    public static Task<T> RunAsync<T>(int retryLimit, Func<int, Task<T>> attempt) =>
        RunAsync(retryLimit, attempt, e => e.IsTransient);

    public static async Task<T> RunAsync<T>(int retryLimit, Func<int, Task<T>> attempt, Func<RegistryException, bool> mayPass)
    {
        for (var number = 0; ; number++)
        {
            try
            {
                return await attempt(number);
            }
            catch (RegistryException e) when (!e.WasRepeated && mayPass(e) && !(e.IsLasting && Decision.IsPending))
            {
                // Looked at each time: the decision may have been made meanwhile.
                var isDecision = Decision.IsPending;
                if (number < (isDecision ? Math.Min(retryLimit, DecisionRetryLimit) : retryLimit))
                    continue;
                // Others who wait for the same outcome may have more patience.
                e.IsLasting |= isDecision && retryLimit > 0;
                e.WasRepeated |= !isDecision && retryLimit > 0;
                throw;
            }
        }
    }
}
