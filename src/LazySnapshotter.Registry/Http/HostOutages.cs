using System.Collections.Concurrent;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Http;

// The outage of every place we speak to. https and http of a host are two places: which one it speaks may have to be found out.
internal sealed class HostOutages(RegistryOptions options)
{
    private readonly ConcurrentDictionary<string, HostOutage> _outages = new(StringComparer.OrdinalIgnoreCase);

    public HostOutage For(Uri place)
    {
        if (_outages.Count >= RegistryLimits.RememberedHostsMax)
        {
            foreach (var (key, outage) in _outages)
            {
                if (outage.IsIdle)
                    _outages.TryRemove(key, out _);
            }
        }

        return _outages.GetOrAdd(place.GetLeftPart(UriPartial.Authority), static (_, options) => new HostOutage(options), options);
    }

    /// <summary>A turn at the host. Whoever decides waits for it as long as the host answers others.</summary>
    /// <exception cref="RegistryException">Somebody decides, and the host is not worth waiting for.</exception>
    public async ValueTask<Turn> EnterAsync(HostQueue queue, TurnRequest request, HopRequest hop, CancellationToken cancellationToken)
    {
        if (!Decision.IsPending)
            return await queue.EnterAsync(request, cancellationToken);

        var outage = For(hop.Uri);
        if (outage.Cause is { } cause)
            throw NotAsked(hop, cause.Failure, $"not asked, because it has just failed: {cause.Message}", cause);
        if (queue.Backoff is var backoff && backoff > options.DecisionBudget)
        {
            var last = outage.LastFailure;
            var why = $"not asked, it is to be left alone for {backoff.TotalSeconds:0.#} s: {last?.Message ?? "it failed"}";
            throw NotAsked(hop, RegistryFailure.Unavailable, why, last);
        }

        using var watch = new OutageWatch(outage, options, cancellationToken);
        try
        {
            return await queue.EnterAsync(request, watch.Token);
        }
        catch (TurnWaitException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw NotAsked(hop, RegistryFailure.TimedOut, e.Message + ", while nothing came from there", e);
        }
    }

    private static RegistryException NotAsked(HopRequest hop, RegistryFailure failure, string why, Exception? inner)
    {
        var error = hop.Subject.TransientError(failure, hop.Host, why, (inner as RegistryException)?.StatusCode, inner);
        error.IsLasting = true;
        return error;
    }
}
