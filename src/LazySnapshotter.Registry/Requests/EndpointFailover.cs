using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Requests;

// Asks one endpoint of a registry after the other, each once, until one has what is wanted. What counts as having it is
// for the caller to check: a mirror whose answer is wrong is passed over like one that does not answer. Endpoints whose
// turn has not come after a failure (HostBackoff) are asked last, the one with the shortest wait first, so nobody waits
// while another could answer. Repeating the whole is RetryLoop's business.
internal sealed class EndpointFailover(HttpTransport transport, ILogger logger)
{
    /// <param name="preferred">The endpoint that had it before: asked first, unless it is in trouble and others are not.</param>
    /// <exception cref="RegistryException">Nobody has it. It is the error of the registry itself if that was asked.</exception>
    public async Task<T> RunAsync<T>(
        RegistryHost host, EndpointCapabilities needed, RegistryEndpoint? preferred, Func<RegistryEndpoint, Task<T>> use)
    {
        var endpoints = host.EndpointsFor(needed);
        if (endpoints.Count == 1)
            return await use(endpoints[0]);

        var failures = new List<(RegistryEndpoint Endpoint, RegistryException Error)>();
        foreach (var endpoint in InOrder(endpoints, preferred))
        {
            if (IsBetterLeftAlone(endpoint, failures, out var wait))
                throw Combine(failures, $"{endpoint.Name} is left alone for {wait.TotalSeconds:0.#} s");
            try
            {
                return await use(endpoint);
            }
            catch (RegistryException e)
            {
                failures.Add((endpoint, e));
                if (!endpoint.IsMirror && e.Failure is (RegistryFailure.NotFound or RegistryFailure.Refused))
                    break; // The registry itself knows best; mirrors that are yet to be asked are those in trouble.
                logger.EndpointPassedOver(host.Name, endpoint.Name, e.Message);
            }
        }

        throw Combine(failures, null);
    }

    // Waiting for it would take longer than asking one of those again that have just failed: RetryLoop does.
    private bool IsBetterLeftAlone(
        RegistryEndpoint endpoint, List<(RegistryEndpoint Endpoint, RegistryException Error)> failures, out TimeSpan waiting)
    {
        var wait = waiting = transport.BackoffOf(endpoint.Name);
        return wait > TimeSpan.Zero && failures.Exists(f => f.Error.IsTransient && transport.BackoffOf(f.Endpoint.Name) < wait);
    }

    private List<RegistryEndpoint> InOrder(IReadOnlyList<RegistryEndpoint> endpoints, RegistryEndpoint? preferred) =>
        endpoints.Select(e => (Endpoint: e, Wait: transport.BackoffOf(e.Name)))
            .OrderBy(e => e.Wait).ThenByDescending(e => e.Endpoint == preferred)
            .Select(e => e.Endpoint).ToList();

    private static RegistryException Combine(List<(RegistryEndpoint Endpoint, RegistryException Error)> failures, string? leftAlone)
    {
        var telling = failures.Find(f => !f.Endpoint.IsMirror).Error ?? failures.Find(f => f.Error.IsTransient).Error ?? failures[^1].Error;
        List<string> others =
            [.. failures.Where(f => f.Error != telling).Select(f => f.Error.Message), .. leftAlone is null ? [] : (string[])[leftAlone]];
        if (others.Count == 0)
            return telling;
        return new RegistryException(
            telling.Failure, telling.Host, $"{telling.Message} (of the others: {string.Join("; ", others)})", telling.StatusCode,
            telling.Digest, telling)
        {
            ErrorCode = telling.ErrorCode,
            // Where the registry itself lets nobody in, a mirror in trouble is all there is.
            IsTransient = telling.IsTransient
                || (telling.Failure == RegistryFailure.Unauthorized && failures.Exists(f => f.Error.IsTransient)),
            IsLasting = failures.TrueForAll(f => f.Error.IsLasting),
            // What the registry itself was asked over and over (its ping) is not begun anew for the mirrors' sake.
            WasRepeated = telling.WasRepeated && failures.Exists(f => f.Error == telling && !f.Endpoint.IsMirror),
        };
    }
}
