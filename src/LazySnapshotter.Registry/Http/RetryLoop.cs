namespace LazySnapshotter.Registry.Http;

// Repeats what failed with a failure that may pass. The waiting in between is not here: it belongs to the host that
// failed (HostBackoff), and the next hop to that host waits there.
internal static class RetryLoop
{
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
            catch (RegistryException e) when (number < retryLimit && mayPass(e))
            {
            }
        }
    }
}
