using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Requests;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Blobs;

/// <summary>What all blobs of a client share.</summary>
internal sealed record BlobServices(
    RegistryRequests Requests, HttpTransport Transport, RangeSupport Ranges, RegistryOptions Options, RegistryStatistics Statistics,
    ILogger Logger);

// Opens ranges of one blob, each with as few requests as can be: one, once it is known where the blob lies. Through the
// registry the first time and whenever the remembered place is refused, straight to that place otherwise.
internal sealed class BlobSource(
    RegistryHost host, string repository, Digest digest, long? size, BlobLocationCell cell, BlobServices services)
{
    private readonly string _path = $"/v2/{repository}/blobs/{digest}";
    private readonly string _scope = Scopes.Pull(repository);
    private string? _lastHost;

    public Digest Digest => digest;

    public long? Size => size;

    public BlobServices Services => services;

    /// <summary>Who answered last; the registry before anybody did.</summary>
    public string HostName => _lastHost ?? cell.Current?.Elsewhere?.Authority ?? host.FirstName;

    /// <summary>By what this blob's last answer was, else by what its host does; null where nothing is known.</summary>
    public bool? GivesRanges => cell.GaveRange ?? services.Ranges.Of(HostName);

    public async Task<BlobPart> OpenAsync(ByteRange wanted, bool askForRange, ReadPriority priority, CancellationToken cancellationToken)
    {
        var request = new HopRequest(RequestSubject.Blob(digest, askForRange ? wanted : null))
        {
            Range = askForRange ? wanted : null,
            Priority = priority,
            ExpectedBytes = (wanted.EndExclusive ?? wanted.Start) - wanted.Start,
        };
        var refusals = 0;
        while (true)
        {
            var location = await cell.GetOrLeadAsync(request.Subject, priority, cancellationToken);
            if (location is null)
                return await LeadAsync(request, wanted, cancellationToken);
            if (location.Elsewhere is null)
                return await ThroughRegistryAsync(request, wanted, location, cell.Moved, cancellationToken);

            // Whoever led there may be configured no longer; then neither may what it said count.
            var home = location.IsForeign ? host.Endpoints[0] : host.EndpointOf(location.Endpoint);
            if (home is null)
            {
                cell.Forget(location);
                continue;
            }

            services.Statistics.CountRemembered(RememberedThing.Location);
            try
            {
                var there = request with { Uri = location.Elsewhere, Home = home };
                return await RememberedAsync(there, wanted, location, resolvedAnew: refusals > 0, cancellationToken);
            }
            catch (RegistryException e) when (refusals < location.RefusalsMax && (location.IsForeign || MayHaveMoved(e)))
            {
                services.Logger.LocationForgotten(e.Host, digest, e.StatusCode?.ToString() ?? "unreachable");
                cell.Forget(location);
                refusals++;
            }
        }
    }

    private async Task<BlobPart> LeadAsync(HopRequest request, ByteRange wanted, CancellationToken cancellationToken)
    {
        try
        {
            return await ThroughRegistryAsync(request, wanted, null, cell.Learned, cancellationToken);
        }
        catch (Exception e)
        {
            // A refused range, or a caller that gave up or has little patience, says nothing about the blob.
            cell.Failed(e is RegistryException { Failure: not (RegistryFailure.RangeNotSatisfiable or RegistryFailure.Protocol) } error
                && !(error.IsLasting && Decision.IsPending) ? error : null);
            throw;
        }
    }

    private Task<BlobPart> ThroughRegistryAsync(
        HopRequest request, ByteRange wanted, BlobLocation? known, Action<BlobLocation> learned, CancellationToken cancellationToken) =>
        RetryLoop.RunAsync(
            services.Options.RetryLimit, attempt => services.Requests.OnEndpointsAsync(host, EndpointCapabilities.Pull, async endpoint =>
        {
            var part = await AskAsync(
                request with { Attempt = attempt }, wanted,
                hop => services.Requests.SendAsync(endpoint, _path, _scope, hop, cancellationToken),
                mayGoWithout: static _ => true, cancellationToken);
            if (known is null || part.Response.Redirected || endpoint.Key != known.Endpoint)
                learned(LocationOf(endpoint, part.Response));
            return part;
        }, known is null ? null : host.EndpointOf(known.Endpoint)));

    private BlobLocation LocationOf(RegistryEndpoint endpoint, RegistryResponse response)
    {
        var now = services.Options.Clock.GetUtcNow();
        return response.Redirected && !RedirectPolicy.IsSameOrigin(endpoint.BaseUri, response.Hop.Uri)
            ? BlobLocation.At(endpoint, response.Hop.Uri, now)
            : BlobLocation.At(endpoint, host.IsFirstChoice(endpoint), now);
    }

    // A place that cannot be reached is not asked again before the registry was asked whether it still is the place. A refusal
    // there may be that of a URL that is over: the range is blamed only where a new one is refused too.
    private Task<BlobPart> RememberedAsync(
        HopRequest request, ByteRange wanted, BlobLocation location, bool resolvedAnew, CancellationToken cancellationToken) =>
        RetryLoop.RunAsync(
            services.Options.RetryLimit,
            attempt => AskAsync(
                request with { Attempt = attempt }, wanted,
                hop => services.Requests.GetRememberedAsync(hop, cancellationToken),
                e => location.IsForeign || !MayHaveMoved(e), cancellationToken),
            e => e.IsTransient && (resolvedAnew || e.StatusCode is not null));

    // With a range as long as that is no trouble, else without.
    private async Task<BlobPart> AskAsync(
        HopRequest request, ByteRange wanted, Func<HopRequest, Task<RegistryResponse>> send, Func<RegistryException, bool> mayGoWithout,
        CancellationToken cancellationToken)
    {
        var whole = request with { Range = null, ExpectedBytes = size ?? 0 };
        if (request.Range is null || cell.RefusesRange)
            return await CheckAsync(whole, wanted, send, cancellationToken);
        try
        {
            return await CheckAsync(request, wanted, send, cancellationToken);
        }
        catch (RegistryException e) when (e.MayBeTheRange && mayGoWithout(e))
        {
            var part = await CheckAsync(whole, wanted, send, cancellationToken);
            if (services.Ranges.Ignored(part.Host))
                services.Logger.HostRefusesRange(part.Host, digest, e.Message);
            cell.Answered(withRange: false, refused: true);
            return part;
        }
    }

    private async Task<BlobPart> CheckAsync(
        HopRequest request, ByteRange wanted, Func<HopRequest, Task<RegistryResponse>> send, CancellationToken cancellationToken)
    {
        var part = await OpenAsync();
        if (part.DoubtfulCoding is { } coding)
        {
            using (part)
                cell.FoundCoding(await CodingProbe.IsCodedAsync(part.Response, coding, digest, size, services.Options, cancellationToken));
            part = await OpenAsync();
        }

        if (request.Range is null)
            return part;
        if (part.IsPartial)
        {
            services.Ranges.Gave(part.Host);
            cell.Answered(withRange: true);
        }
        else if (part.RangeIgnored)
        {
            if (services.Ranges.Ignored(part.Host))
                services.Logger.HostIgnoresRange(part.Host, digest);
            cell.Answered(withRange: false);
        }

        return part;

        async Task<BlobPart> OpenAsync()
        {
            var response = await send(request);
            _lastHost = response.Hop.Host;
            return await BlobPart.OpenAsync(
                response, new BlobQuestion(wanted, request.Range, size, cell.IsCoded), services.Options, cancellationToken);
        }
    }

    private static bool MayHaveMoved(RegistryException e) => e.StatusCode is null or HttpStatusCode.BadRequest
        or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Gone;
}
