using System.Net;
using System.Text.Json;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Manifests;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.Registry.Requests;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Client;

// The writing half. What is put is checked while it is sent, and against what the registry says of it afterwards; each
// operation may be repeated without harm.
public sealed partial class RegistryClient
{
    /// <summary>Puts a blob into a repository, unless it is there.</summary>
    /// <param name="repository">Registry and repository count; tag and digest do not.</param>
    /// <param name="mountFrom">Another repository that has the blob. Where it is of the same registry, that is asked to take the blob
    /// over from there.</param>
    /// <param name="progress">Bytes sent so far; goes back to 0 when the push has to be repeated.</param>
    /// <exception cref="RegistryException">It cannot be put, or the content is not what its digest says.</exception>
    public async Task<BlobPush> PushBlobAsync(
        ImageReference repository, BlobContent content, ImageReference? mountFrom, IProgress<long>? progress,
        CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        var from = mountFrom is not null && HostOf(mountFrom) == host ? mountFrom : null;
        using var deadline = new Deadline(_options.BlobDeadline);
        return await deadline.RunAsync(
            host.FirstName, RequestSubject.Upload(content.Digest),
            ct => content.Remote is { } source
                ? _transport.WithTurnsAsync(
                    [host.EndpointForPush().Name, source.Host], new TurnLoad(TurnKind.Blob, content.Size), () => Push(ct), ct)
                : Push(ct), cancellationToken);

        Task<BlobPush> Push(CancellationToken ct) => UploaderOf(host, repository, content.Digest).PushAsync(content, from, progress, ct);
    }

    /// <summary>Puts a manifest or index whose blobs and manifests are in the repository.</summary>
    /// <param name="tag">Null: it is put by its digest alone.</param>
    /// <exception cref="RegistryException">The registry does not take it.</exception>
    public async Task<ManifestPush> PutManifestAsync(
        ImageReference repository, string? tag, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        using var deadline = new Deadline(_options.DocumentDeadline);
        return await deadline.RunAsync(
            host.FirstName, RequestSubject.Manifest(repository.Repository, tag ?? Digest.OfSha256(content.Span).ToString()),
            ct => PutManifestAsync(host, repository.Repository, tag, mediaType, content, null, ct), cancellationToken);
    }

    /// <summary>Deletes a manifest and with it every tag that names it.</summary>
    /// <returns>False where there was none.</returns>
    /// <exception cref="RegistryException">The registry does not (<see cref="RegistryFailure.Refused"/>), or not for us.</exception>
    public Task<bool> DeleteManifestAsync(ImageReference repository, Digest digest, CancellationToken cancellationToken) =>
        DeleteAsync(HostOf(repository), repository.Repository, digest.ToString(), cancellationToken);

    /// <summary>What a tag or digest names, without fetching it; null where there is nothing.</summary>
    /// <exception cref="RegistryException">The registry cannot be asked, or does not say.</exception>
    public Task<Descriptor?> FindManifestAsync(ImageReference reference, CancellationToken cancellationToken) =>
        FindManifestAsync(reference, NeededFor(reference.TagOrDigest), cancellationToken);

    /// <summary>All tags of a repository; none where there is no such repository.</summary>
    /// <exception cref="RegistryException">The registry cannot be asked, or has more than 100,000 of them.</exception>
    public async Task<IReadOnlyList<string>> ListTagsAsync(ImageReference repository, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        var subject = RequestSubject.Tags(repository.Repository);
        using var deadline = new Deadline(_options.DocumentDeadline);
        try
        {
            return await deadline.RunAsync(
                host.FirstName, subject,
                ct => _requests.OnEndpointsAsync(
                    host, EndpointCapabilities.Resolve, endpoint => ListTagsAsync(endpoint, repository.Repository, subject, ct)),
                cancellationToken);
        }
        catch (RegistryException e) when (e.Failure == RegistryFailure.NotFound)
        {
            return [];
        }
    }

    /// <param name="needed">With <see cref="EndpointCapabilities.Push"/> it is looked for where it would be pushed to, and nowhere
    /// else.</param>
    internal async Task<Descriptor?> FindManifestAsync(
        ImageReference reference, EndpointCapabilities needed, CancellationToken cancellationToken)
    {
        var host = HostOf(reference);
        var subject = RequestSubject.Manifest(reference.Repository, reference.TagOrDigest);
        using var deadline = new Deadline(_options.DocumentDeadline);
        try
        {
            return await deadline.RunAsync(
                host.FirstName, subject,
                ct => RetryLoop.RunAsync(_options.RetryLimit, attempt => _requests.OnEndpointsAsync(
                    host, needed, endpoint => FindManifestAsync(host, endpoint, reference, needed, subject, attempt, ct))),
                cancellationToken);
        }
        catch (RegistryException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private BlobUploader UploaderOf(RegistryHost host, ImageReference repository, Digest digest) =>
        new(host.EndpointForPush(), repository.Repository, digest, _requests, _options, Statistics, _logger);

    private async Task<ManifestPush> PutManifestAsync(
        RegistryHost host, string repository, string? tag, string mediaType, ReadOnlyMemory<byte> content,
        KeyValuePair<string, string>? precondition, CancellationToken cancellationToken)
    {
        var digest = Digest.OfSha256(content.Span);
        var subject = RequestSubject.Manifest(repository, tag ?? digest.ToString());
        if (content.Length > RegistryLimits.ManifestBytesMax)
            throw subject.Error(RegistryFailure.Refused, host.FirstName,
                $"not sent: it has {content.Length} bytes, registries take {RegistryLimits.ManifestBytesMax}");

        var put = new HopRequest(subject)
        {
            Method = HttpMethod.Put,
            Body = new DocumentBody(mediaType, content),
            Precondition = precondition,
        };
        var endpoint = host.EndpointForPush();
        try
        {
            return await RetryLoop.RunAsync(_options.RetryLimit, async attempt =>
            {
                using var response = await _requests.SendAsync(
                    endpoint, $"/v2/{repository}/manifests/{tag ?? digest.ToString()}", Scopes.Push(
                        repository), put with { Attempt = attempt }, cancellationToken);
                await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, _options, cancellationToken);
                // 201 by the specification; Quay has been seen to say 202.
                if (response.Message.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.Accepted))
                    throw subject.Error(RegistryFailure.Protocol, response.Hop.Host,
                        $"{(int)response.Message.StatusCode} where 201 belongs", response.Message.StatusCode);
                if (Digest.TryParse(RegistryRequests.ClaimedDigest(response.Message), out var claim)
                    && claim.Algorithm == digest.Algorithm && claim != digest)
                    throw subject.Error(RegistryFailure.Protocol, response.Hop.Host, $"the registry took it as {claim}, it is {digest}",
                        response.Message.StatusCode);
                return new ManifestPush(new Descriptor { MediaType = mediaType, Digest = digest, Size = content.Length }, NoticesSubject(
                    endpoint, response.Message, content));
            });
        }
        finally
        {
            // Whatever came of it, the tag may name something else now.
            if (tag is not null)
                _manifests.Forget(host, repository, tag);
        }
    }

    private static bool NoticesSubject(RegistryEndpoint endpoint, HttpResponseMessage response, ReadOnlyMemory<byte> content)
    {
        if (!response.Headers.TryGetValues("OCI-Subject", out var values) || values.First() != SubjectOf(content.Span))
            return false;
        endpoint.Referrers.Found();
        return true;
    }

    private static string? SubjectOf(ReadOnlySpan<byte> manifest)
    {
        try
        {
            return JsonSerializer.Deserialize(manifest, MediaTypeJsonContext.Default.SubjectProbe)?.Subject?.Digest;
        }
        catch (JsonException)
        {
            return null; // Whether it is a manifest at all is for the registry to say.
        }
    }

    private async Task<bool> DeleteAsync(RegistryHost host, string repository, string tagOrDigest, CancellationToken cancellationToken)
    {
        var subject = RequestSubject.Manifest(repository, tagOrDigest);
        var endpoint = host.EndpointForPush();
        using var deadline = new Deadline(_options.DocumentDeadline);
        try
        {
            return await deadline.RunAsync(endpoint.Name, subject, ct => RetryLoop.RunAsync(_options.RetryLimit, async attempt =>
            {
                var delete = new HopRequest(subject) { Method = HttpMethod.Delete, Attempt = attempt };
                using var response = await _requests.SendAsync(
                    endpoint, $"/v2/{repository}/manifests/{tagOrDigest}", Scopes.Delete(repository), delete, ct);
                await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, _options, ct);
                return true;
            }), cancellationToken);
        }
        catch (RegistryException e) when (e.Failure == RegistryFailure.NotFound)
        {
            return false;
        }
        finally
        {
            _manifests.Forget(host, repository, tagOrDigest);
        }
    }

    private async Task<Descriptor?> FindManifestAsync(
        RegistryHost host, RegistryEndpoint endpoint, ImageReference reference, EndpointCapabilities needed, RequestSubject subject,
        int attempt,
        CancellationToken cancellationToken)
    {
        var head = new HopRequest(subject) { Method = HttpMethod.Head, Accept = ManifestReader.Accepted, Attempt = attempt };
        using var response = await _requests.SendAsync(
            endpoint, $"/v2/{reference.Repository}/manifests/{reference.TagOrDigest}", Scopes.Pull(
                reference.Repository), head, cancellationToken);
        var headers = response.Message.Content.Headers;
        if (ResponseCheck.IsHeadRefused(response.Message.StatusCode))
            return await GetAsync();
        await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, _options, cancellationToken);
        var digest = reference.Digest ?? RegistryRequests.ClaimedName(response.Message);
        var isTold = headers.ContentLength is not null && headers.ContentEncoding.Count == 0
            && headers.ContentType?.MediaType
                is not (null or "application/json" or "application/octet-stream" or "text/plain" or "text/html");
        return digest is null || !isTold
            ? await GetAsync()
            : new Descriptor { MediaType = headers.ContentType!.MediaType!, Digest = digest.Value, Size = headers.ContentLength!.Value };

        async Task<Descriptor?> GetAsync()
        {
            var received = await _manifests.ReceiveAsync(
                host, needed, reference.Repository, reference.TagOrDigest, ifNoneMatch: null, cancellationToken);
            return received.Document!.Descriptor;
        }
    }

    private static TagsDocument? ReadTags(RegistryDocument page)
    {
        try
        {
            return JsonSerializer.Deserialize(page.Content, HttpJsonContext.Default.TagsDocument);
        }
        catch (JsonException)
        {
            throw page.Hop.Subject.Error(RegistryFailure.Protocol, page.Hop.Host, "the answer is no list of tags");
        }
    }

    private async Task<IReadOnlyList<string>> ListTagsAsync(
        RegistryEndpoint endpoint, string repository, RequestSubject subject, CancellationToken cancellationToken)
    {
        var tags = new List<string>();
        await ReadPagesAsync(endpoint, repository, $"/v2/{repository}/tags/list", subject, page =>
        {
            tags.AddRange((ReadTags(page)?.Tags ?? []).OfType<string>());
            if (tags.Count > RegistryLimits.TagsMax)
                throw subject.Error(RegistryFailure.Protocol, page.Hop.Host, $"more than {RegistryLimits.TagsMax} tags");
        }, cancellationToken);
        return tags;
    }

    // One page after another, as long as there is a Link to a next one: all from one endpoint, whose lists need not be another's.
    private async Task ReadPagesAsync(
        RegistryEndpoint endpoint, string repository, string path, RequestSubject subject, Action<RegistryDocument> read,
        CancellationToken cancellationToken)
    {
        var scope = Scopes.Pull(repository);
        var template = new HopRequest(subject) { Accept = MediaTypes.OciIndex + ", application/json" };
        Uri? next = null;
        for (var pages = 0; pages < RegistryLimits.ListPagesMax; pages++)
        {
            var page = await RetryLoop.RunAsync(endpoint.RetryLimit, async attempt =>
            {
                var hop = template with { Attempt = attempt };
                using var response = next is null
                    ? await _requests.SendAsync(endpoint, path, scope, hop, cancellationToken)
                    : await _requests.SendAsync(endpoint, scope, hop with { Uri = next }, cancellationToken);
                return await _requests.ReadAsync(response, RegistryLimits.ManifestBytesMax, Statistics, cancellationToken);
            });
            read(page);
            if (PageLinks.Next(page.Headers, page.Hop) is not { } link)
                return;
            next = endpoint.WithNamespace(link);
        }

        throw subject.Error(RegistryFailure.Protocol, endpoint.Name, $"more than {RegistryLimits.ListPagesMax} pages");
    }
}
