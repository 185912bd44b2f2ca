using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Memory;
using LazySnapshotter.Registry.Requests;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Manifests;

// Manifests and indexes of a registry's repositories, with as few bytes over the network as can be.
//   by digest   it never changes, so it is asked for once and then remembered, over a restart too
//   by tag      the registry is asked each time, for a tag may move; but where it is what it was (If-None-Match, RFC 9110
//               section 13.1.2) nothing is sent again. Docker Hub counts GETs of manifests, not HEADs, against its pull limit,
//               so there a HEAD says what the tag names, and what is remembered by digest is not asked for.
// Of those who want the same at the same time one asks.
internal sealed class ManifestReader(
    RegistryRequests requests, RegistryMemory memory, RegistryOptions options, RegistryStatistics statistics, ILogger logger)
{
    public const string Accepted =
        MediaTypes.OciIndex + ", " + MediaTypes.OciManifest + ", " + MediaTypes.DockerManifestList + ", " + MediaTypes.DockerManifest;

    private readonly FlightGroup<string, ImageDocument> _questions = new();

    /// <exception cref="RegistryException">It cannot be had, or is not what its digest says.</exception>
    public async Task<ImageDocument> GetAsync(RegistryHost host, string repository, string tagOrDigest, CancellationToken cancellationToken)
    {
        var isDigest = Digest.TryParse(tagOrDigest, out var digest);
        if (isDigest && memory.Manifests.Find(host.Name, repository, digest) is { } known)
        {
            statistics.CountRemembered(RememberedThing.Manifest);
            return known;
        }

        return await _questions.RunAsync(QuestionOf(host, repository, tagOrDigest), async () =>
        {
            using var deadline = new Deadline(options.DocumentDeadline);
            return await deadline.RunAsync(host.FirstName, RequestSubject.Manifest(repository, tagOrDigest), ct => isDigest
                ? FetchAsync(host, repository, digest, ct)
                : AskTagAsync(host, repository, tagOrDigest, ct), CancellationToken.None);
        }, cancellationToken);
    }

    /// <summary>What a tag named when it was last asked for, and when that was; null if that is not known any more.</summary>
    public (ImageDocument Document, DateTimeOffset SeenAt)? LastNamed(RegistryHost host, string repository, string tag) =>
        memory.Tags.Recall(RememberedTag.KeyOf(host.Name, repository, tag)) is { } remembered
        && memory.Manifests.Find(host.Name, repository, remembered.Names) is { } document
            ? (document, remembered.LearnedAt)
            : null;

    /// <summary>Asks whatever is remembered, and for itself alone.</summary>
    /// <param name="ifNoneMatch">The ETag of a manifest that need not be sent, at an endpoint; null for none.</param>
    public Task<ReceivedManifest> ReceiveAsync(
        RegistryHost host, EndpointCapabilities needed, string repository, string tagOrDigest, Func<RegistryEndpoint, string>? ifNoneMatch,
        CancellationToken cancellationToken)
    {
        var subject = RequestSubject.Manifest(repository, tagOrDigest);
        return RetryLoop.RunAsync(options.RetryLimit, attempt => requests.OnEndpointsAsync(host, needed, async endpoint =>
        {
            var get = new HopRequest(subject)
            {
                Accept = Accepted,
                Attempt = attempt,
                Precondition = ifNoneMatch is null ? null : new("If-None-Match", ifNoneMatch(endpoint)),
            };
            using var response = await SendAsync(endpoint, repository, tagOrDigest, get, cancellationToken);
            if (ifNoneMatch is not null && response.Message.StatusCode == HttpStatusCode.NotModified)
                return new ReceivedManifest(null, response.Message.Headers, endpoint);
            var document = await requests.ReadAsync(response, RegistryLimits.ManifestBytesMax, statistics, cancellationToken);
            return new ReceivedManifest(ManifestCheck.Document(subject, tagOrDigest, document), document.Headers, endpoint);
        }));
    }

    /// <summary>It was put or deleted by us.</summary>
    public void Forget(RegistryHost host, string repository, string tagOrDigest)
    {
        _questions.Leave(QuestionOf(host, repository, tagOrDigest));
        if (Digest.TryParse(tagOrDigest, out var digest))
            memory.Manifests.Forget(host.Name, repository, digest);
        else
            memory.Tags.Forget(RememberedTag.KeyOf(host.Name, repository, tagOrDigest));
    }

    private static string QuestionOf(RegistryHost host, string repository, string tagOrDigest) => $"{host.Name}/{repository}@{tagOrDigest}";

    private async Task<ImageDocument> FetchAsync(RegistryHost host, string repository, Digest digest, CancellationToken cancellationToken)
    {
        var received = await ReceiveAsync(host, EndpointCapabilities.Pull, repository, digest.ToString(), null, cancellationToken);
        memory.Manifests.Remember(host.Name, repository, received.Document!);
        return received.Document!;
    }

    private async Task<ImageDocument> AskTagAsync(RegistryHost host, string repository, string tag, CancellationToken cancellationToken)
    {
        if (LastNamed(host, repository, tag) is { Document: var last })
        {
            var remembered = memory.Tags.Recall(RememberedTag.KeyOf(host.Name, repository, tag));
            return host.Name == DockerHub.Name && await HeadAsync(host, repository, tag, cancellationToken) is { } named
                ? await FollowAsync(host, repository, tag, named, cancellationToken)
                : await AskIfChangedAsync(host, repository, tag, last, remembered, cancellationToken);
        }

        return Remember(
            host, repository, tag, await ReceiveAsync(host, EndpointCapabilities.Resolve, repository, tag, null, cancellationToken));
    }

    private async Task<ImageDocument> AskIfChangedAsync(
        RegistryHost host, string repository, string tag, ImageDocument last, RememberedTag? remembered,
        CancellationToken cancellationToken)
    {
        var digest = last.Descriptor.Digest;
        // The quoted digest is what distribution and its kin use (S4.6); whoever knows neither it nor the ETag sends the manifest.
        var received = await ReceiveAsync(
            host, EndpointCapabilities.Resolve, repository, tag,
            endpoint => ETagOf(remembered, endpoint) ?? $"\"{digest}\"", cancellationToken);
        if (received.Document is not null)
            return Remember(host, repository, tag, received);

        if (Digest.TryParse(RegistryRequests.ClaimedDigest(received.Headers), out var claimed) && !claimed.IsDigestOf(last.Content))
        {
            logger.UnchangedTagContradicted(received.Endpoint.Name, repository, tag, digest, claimed);
            memory.Tags.Forget(RememberedTag.KeyOf(host.Name, repository, tag));
            return Remember(
                host, repository, tag, await ReceiveAsync(host, EndpointCapabilities.Resolve, repository, tag, null, cancellationToken));
        }

        Remember(
            host, repository, tag, digest, received.Endpoint, received.Headers.ETag?.ToString() ?? ETagOf(remembered, received.Endpoint));
        statistics.CountRemembered(RememberedThing.Tag);
        return last;
    }

    // An ETag means something to the endpoint that gave it.
    private static string? ETagOf(RememberedTag? remembered, RegistryEndpoint endpoint) =>
        remembered?.Endpoint == endpoint.Key ? remembered.ETag : null;

    private async Task<ImageDocument> FollowAsync(
        RegistryHost host, string repository, string tag, Digest digest, CancellationToken cancellationToken)
    {
        var document = await GetAsync(host, repository, digest.ToString(), cancellationToken);
        Remember(host, repository, tag, digest, null, null);
        return document;
    }

    /// <returns>Null where the registry does not say.</returns>
    private async Task<Digest?> HeadAsync(RegistryHost host, string repository, string tag, CancellationToken cancellationToken)
    {
        try
        {
            return await RetryLoop.RunAsync(
                options.RetryLimit, attempt => requests.OnEndpointsAsync<Digest?>(host, EndpointCapabilities.Resolve, async endpoint =>
            {
                var head = new HopRequest(
                    RequestSubject.Manifest(repository, tag)) { Method = HttpMethod.Head, Accept = Accepted, Attempt = attempt };
                using var response = await SendAsync(endpoint, repository, tag, head, cancellationToken);
                await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, options, cancellationToken);
                return RegistryRequests.ClaimedName(response.Message);
            }));
        }
        catch (RegistryException e) when (e.Failure is RegistryFailure.Refused or RegistryFailure.Protocol)
        {
            return null; // No HEAD here. GET works everywhere.
        }
    }

    private Task<RegistryResponse> SendAsync(
        RegistryEndpoint endpoint, string repository, string tagOrDigest, HopRequest request, CancellationToken cancellationToken) =>
        requests.SendAsync(endpoint, $"/v2/{repository}/manifests/{tagOrDigest}", Scopes.Pull(repository), request, cancellationToken);

    private ImageDocument Remember(RegistryHost host, string repository, string tag, ReceivedManifest received)
    {
        memory.Manifests.Remember(host.Name, repository, received.Document!);
        Remember(host, repository, tag, received.Document!.Descriptor.Digest, received.Endpoint, received.Headers.ETag?.ToString());
        return received.Document;
    }

    private void Remember(RegistryHost host, string repository, string tag, Digest digest, RegistryEndpoint? endpoint, string? etag)
    {
        var now = options.Clock.GetUtcNow();
        memory.Tags.Remember(new RememberedTag(
            host.Name, repository, tag, now, now + RememberedTag.Lifetime, digest.ToString(), endpoint?.Key, endpoint is null
                ? null
                : etag));
    }
}
