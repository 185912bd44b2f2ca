using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.Registry.Referrers;
using LazySnapshotter.Registry.Requests;

namespace LazySnapshotter.Registry.Client;

// Manifests that refer to another one (OCI distribution-spec 1.1). A registry with the referrers API lists them itself;
// for one without, clients keep the list as an index under a tag (ReferrersIndex). Which it is, is learned once per host.
public sealed partial class RegistryClient
{
    private readonly ReferrersTagWriter _referrersTags;

    /// <summary>The manifests of the repository whose subject is <paramref name="subject"/>; none is an answer too.</summary>
    /// <param name="artifactType">Only those of this type; null for all.</param>
    /// <exception cref="RegistryException">The registry cannot be asked, or its list makes no sense.</exception>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(
        ImageReference repository, Digest subject, string? artifactType, CancellationToken cancellationToken) =>
        ListReferrersAsync(repository, subject, artifactType, EndpointCapabilities.Referrers, cancellationToken);

    /// <param name="needed">With <see cref="EndpointCapabilities.Push"/> they are listed where they would be pushed to, and nowhere
    /// else.</param>
    internal async Task<IReadOnlyList<Descriptor>> ListReferrersAsync(
        ImageReference repository, Digest subject, string? artifactType, EndpointCapabilities needed, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        using var deadline = new Deadline(_options.DocumentDeadline);
        return await deadline.RunAsync(host.FirstName, RequestSubject.Referrers(repository.Repository, subject), async ct =>
            await AskForReferrersAsync(host, needed, repository.Repository, subject, artifactType, ct)
            ?? await ReadReferrersTagAsync(host, needed, repository.Repository, subject, artifactType, ct), cancellationToken);
    }

    /// <summary>
    /// Puts a manifest that has a subject, by digest, and sees to it that it is listed, by the registry or under the tag.
    /// </summary>
    /// <returns>Its entry among the referrers.</returns>
    /// <exception cref="InvalidDataException">It has no subject.</exception>
    /// <exception cref="RegistryException">The registry does not take it.</exception>
    public async Task<Descriptor> PushReferrerAsync(
        ImageReference repository, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var (subject, entry) = ReferrersIndex.EntryOf(
            mediaType, content.Span, $"{repository.Registry}/{repository.Repository}: the manifest to put");
        var put = await PutManifestAsync(repository, tag: null, mediaType, content, cancellationToken);
        if (!put.SubjectListed && !await IsListedByRegistryAsync(repository, subject, entry.Digest, cancellationToken))
            await AddReferrerAsync(repository, subject, entry, cancellationToken);
        return entry;
    }

    /// <summary>Deletes a manifest that refers to <paramref name="subject"/>, and its entry in a list kept under a tag.</summary>
    /// <returns>False where there was none.</returns>
    /// <exception cref="RegistryException">
    /// The registry does not delete. Where the list is kept under a tag, being listed there no longer is enough, and that is not an error.
    /// </exception>
    public async Task<bool> DeleteReferrerAsync(
        ImageReference repository, Digest subject, Digest referrer, CancellationToken cancellationToken)
    {
        // The entry goes first: a manifest nobody lists harms nobody, an entry without its manifest fails its readers.
        var host = HostOf(repository);
        var hasApi = await AskForReferrersAsync(repository, subject, cancellationToken) is not null;
        var wasListed = !hasApi && await RemoveReferrerAsync(repository, subject, referrer, cancellationToken);
        try
        {
            return await DeleteManifestAsync(repository, referrer, cancellationToken) || wasListed;
        }
        catch (RegistryException e) when (wasListed && e.Failure is RegistryFailure.Refused or RegistryFailure.Unauthorized)
        {
            _logger.ReferrerStays(host.Name, referrer, e.Message);
            return true;
        }
    }

    /// <summary>Adds an entry to the list under the tag, whatever API the registry has.</summary>
    /// <returns>False where it was there.</returns>
    /// <exception cref="InvalidDataException">The tag names something that is no such list.</exception>
    /// <exception cref="RegistryException">The list cannot be read or put.</exception>
    internal Task<bool> AddReferrerAsync(
        ImageReference repository, Digest subject, Descriptor referrer, CancellationToken cancellationToken) =>
        EditReferrersTagAsync(repository, subject, ReferrersEdit.Add(referrer), cancellationToken);

    /// <summary>Takes an entry out of the list under the tag.</summary>
    /// <returns>False where it was not there.</returns>
    /// <inheritdoc cref="AddReferrerAsync"/>
    private Task<bool> RemoveReferrerAsync(
        ImageReference repository, Digest subject, Digest referrer, CancellationToken cancellationToken) =>
        EditReferrersTagAsync(repository, subject, ReferrersEdit.Remove(referrer), cancellationToken);

    private async Task<bool> EditReferrersTagAsync(
        ImageReference repository, Digest subject, ReferrersEdit edit, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        using var deadline = new Deadline(_options.DocumentDeadline);
        return await deadline.RunAsync(
            host.FirstName, RequestSubject.Referrers(repository.Repository, subject),
            ct => _referrersTags.EditAsync(host, repository.Repository, subject, edit, ct), cancellationToken);
    }

    private async Task<bool> IsListedByRegistryAsync(
        ImageReference repository, Digest subject, Digest referrer, CancellationToken cancellationToken) =>
        await AskForReferrersAsync(repository, subject, cancellationToken) is { } listed && listed.Any(d => d.Digest == referrer);

    private async Task<IReadOnlyList<Descriptor>?> AskForReferrersAsync(
        ImageReference repository, Digest subject, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        using var deadline = new Deadline(_options.DocumentDeadline);
        return await deadline.RunAsync(
            host.FirstName, RequestSubject.Referrers(repository.Repository, subject),
            ct => AskForReferrersAsync(
                host, EndpointCapabilities.Push, repository.Repository, subject, artifactType: null, ct), cancellationToken);
    }

    /// <returns>Null where the registry has no such API.</returns>
    private async Task<IReadOnlyList<Descriptor>?> AskForReferrersAsync(
        RegistryHost host, EndpointCapabilities needed, string repository, Digest digest, string? artifactType,
        CancellationToken cancellationToken) =>
        host.Offers(needed)
            ? await _requests.OnEndpointsAsync(
                host, needed, endpoint => AskForReferrersAsync(endpoint, repository, digest, artifactType, cancellationToken))
            : null;

    private async Task<IReadOnlyList<Descriptor>?> AskForReferrersAsync(
        RegistryEndpoint endpoint, string repository, Digest digest, string? artifactType, CancellationToken cancellationToken)
    {
        var subject = RequestSubject.Referrers(repository, digest);
        if (endpoint.Referrers.IsKnownMissing)
            return endpoint.IsMirror
                ? throw subject.Error(RegistryFailure.NotFound, endpoint.Name, "it is known to have no referrers API")
                : null;

        var filter = artifactType is null ? "" : "?artifactType=" + Uri.EscapeDataString(artifactType);
        var listed = new List<Descriptor>();
        try
        {
            await ReadPagesAsync(endpoint, repository, $"/v2/{repository}/referrers/{digest}{filter}", subject, page =>
                listed.AddRange(ReadReferrers(page, artifactType, listed.Count)), cancellationToken);
        }
        catch (RegistryException e) when (SaysNoSuchApi(e) && listed.Count == 0)
        {
            // An unknown repository, or one we may not read, says nothing about the registry.
            if (e.Failure != RegistryFailure.Unauthorized && e.ErrorCode is not ("NAME_UNKNOWN" or "NAME_INVALID" or "DENIED"))
                endpoint.Referrers.Missing();
            if (endpoint.IsMirror)
                throw;
            _logger.ReferrersApiMissing(endpoint.Name, ReferrersIndex.TagOf(digest), e.Message);
            return null;
        }

        endpoint.Referrers.Found();
        return listed;
    }

    private static List<Descriptor> ReadReferrers(RegistryDocument page, string? artifactType, int before)
    {
        // Some hosts answer every path with a page for people.
        if (page.MediaType is not (MediaTypes.OciIndex or "application/json" or null))
            throw page.Hop.Subject.Error(RegistryFailure.NotFound, page.Hop.Host, $"the answer is {page.MediaType}, no image index");
        var index = OciJson.ReadIndex(page.Content, $"{page.Hop.Host}: {page.Hop.Subject.Text}");
        if (before + index.Manifests.Count > RegistryLimits.ReferrersMax)
            throw page.Hop.Subject.Error(RegistryFailure.Protocol, page.Hop.Host, $"more than {RegistryLimits.ReferrersMax} referrers");
        var isFiltered = page.Headers.TryGetValues("OCI-Filters-Applied", out var applied)
            && applied.SelectMany(v => v.Split(',')).Any(f => f.Trim().Equals("artifactType", StringComparison.OrdinalIgnoreCase));
        return isFiltered ? [.. index.Manifests] : OfType(index, artifactType);
    }

    private async Task<IReadOnlyList<Descriptor>> ReadReferrersTagAsync(
        RegistryHost host, EndpointCapabilities needed, string repository, Digest digest, string? artifactType,
        CancellationToken cancellationToken)
    {
        var tag = ReferrersIndex.TagOf(digest);
        try
        {
            var place = needed == EndpointCapabilities.Push ? needed : EndpointCapabilities.Resolve;
            var document = (await _manifests.ReceiveAsync(host, place, repository, tag, null, cancellationToken)).Document!;
            // Whatever else has that tag is no list of referrers, so there is none.
            if (!MediaTypes.IsIndex(document.Descriptor.MediaType))
                return [];
            var index = OciJson.ReadIndex(document.Content, $"{host.Name}: {repository}:{tag}");
            return OfType(index, artifactType);
        }
        catch (RegistryException e) when (e.Failure == RegistryFailure.NotFound)
        {
            return [];
        }
    }

    private async Task<(ImageDocument Document, string? ETag)?> ReadTagAsync(
        RegistryHost host, string repository, string tag, CancellationToken cancellationToken)
    {
        try
        {
            var received = await _manifests.ReceiveAsync(host, EndpointCapabilities.Push, repository, tag, null, cancellationToken);
            return (received.Document!, received.Headers.ETag?.ToString());
        }
        catch (RegistryException e) when (e.Failure == RegistryFailure.NotFound)
        {
            return null;
        }
    }

    private Task<ManifestPush> PutTagAsync(
        RegistryHost host, string repository, string tag, byte[] index, KeyValuePair<string, string>? precondition,
        CancellationToken cancellationToken) =>
        PutManifestAsync(host, repository, tag, MediaTypes.OciIndex, index, precondition, cancellationToken);

    private static List<Descriptor> OfType(ImageIndex index, string? artifactType) =>
        [.. index.Manifests.Where(m => artifactType is null || m.ArtifactType == artifactType)];

    // The specification has 404. What is not implemented, not routed or not let through is not there either.
    private static bool SaysNoSuchApi(RegistryException e) =>
        e.Failure is RegistryFailure.NotFound or RegistryFailure.Refused or RegistryFailure.Unauthorized
            || e.StatusCode == HttpStatusCode.NotImplemented;
}
