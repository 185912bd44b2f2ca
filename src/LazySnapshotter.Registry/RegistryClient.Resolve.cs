using System.Net.Http.Headers;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry;

// From a tag or digest to the manifest of a platform. Every document is bounded, and checked against the digest by which it
// was asked for or, for a tag, against the digest the registry claims for it, before anything in it is believed.
public sealed partial class RegistryClient
{
    private const string ManifestsAccepted =
        MediaTypes.OciIndex + ", " + MediaTypes.OciManifest + ", " + MediaTypes.DockerManifestList + ", " + MediaTypes.DockerManifest;

    /// <exception cref="RegistryException">It cannot be had, or a document is not what its digest says.</exception>
    /// <exception cref="InvalidDataException">A document is no image manifest or index, or has nothing for the platform.</exception>
    public async Task<ResolvedManifest> ResolveAsync(ImageReference reference, Platform platform, CancellationToken cancellationToken)
    {
        var host = HostOf(reference);
        using var deadline = new Deadline(_options.DocumentDeadline);
        return await deadline.RunAsync(
            host.FirstName, RequestSubject.Manifest(reference.Repository, reference.TagOrDigest),
            ct => ResolveAsync(host, reference, platform, ct), cancellationToken);
    }

    /// <summary>A manifest or index by its descriptor, checked against it.</summary>
    /// <exception cref="RegistryException">It cannot be had, is larger than 4 MiB, or is not what the descriptor says.</exception>
    public async Task<byte[]> GetManifestAsync(ImageReference repository, Descriptor descriptor, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        var subject = RequestSubject.Manifest(repository.Repository, descriptor.Digest.ToString());
        using var deadline = new Deadline(_options.DocumentDeadline);
        var document = await deadline.RunAsync(
            host.FirstName, subject, ct => GetManifestAsync(host, repository.Repository, subject, descriptor.Digest.ToString(), ct), cancellationToken);
        CheckSize(host, subject, descriptor, document);
        return document.Content;
    }

    /// <summary>What a reference itself names, a manifest, an index or an artifact, whatever platform it is for.</summary>
    /// <exception cref="RegistryException">It cannot be had, or is not what its digest says.</exception>
    public async Task<ImageDocument> GetManifestAsync(ImageReference reference, CancellationToken cancellationToken)
    {
        var host = HostOf(reference);
        var subject = RequestSubject.Manifest(reference.Repository, reference.TagOrDigest);
        using var deadline = new Deadline(_options.DocumentDeadline);
        return await deadline.RunAsync(
            host.FirstName, subject, ct => GetManifestAsync(host, reference.Repository, subject, reference.TagOrDigest, ct), cancellationToken);
    }

    private async Task<ResolvedManifest> ResolveAsync(RegistryHost host, ImageReference reference, Platform platform, CancellationToken cancellationToken)
    {
        var documents = new List<ImageDocument>();
        var tagOrDigest = reference.TagOrDigest;
        Descriptor? expected = null;
        while (true)
        {
            var subject = RequestSubject.Manifest(reference.Repository, tagOrDigest);
            var document = await GetManifestAsync(host, reference.Repository, subject, tagOrDigest, cancellationToken);
            if (expected is not null)
                CheckSize(host, subject, expected, document);
            documents.Add(document);

            var what = $"{host.FirstName}: {subject.Text}";
            if (MediaTypes.IsManifest(document.Descriptor.MediaType))
            {
                var manifest = OciJson.ReadManifest(document.Content, what);
                return new ResolvedManifest { Reference = reference, Manifest = manifest, Documents = documents };
            }

            if (documents.Count == RegistryLimits.IndexDepthMax)
                throw new InvalidDataException($"{what}: more than {RegistryLimits.IndexDepthMax - 1} indexes inside each other");
            expected = PlatformChoice.Of(OciJson.ReadIndex(document.Content, what), platform, what);
            tagOrDigest = expected.Digest.ToString();
        }
    }

    private async Task<ImageDocument> GetManifestAsync(
        RegistryHost host, string repository, RequestSubject subject, string tagOrDigest, CancellationToken cancellationToken)
    {
        var (document, _) = await ReceiveManifestAsync(host, NeededFor(tagOrDigest), repository, subject, tagOrDigest, cancellationToken);
        return document;
    }

    private async Task<(ImageDocument Document, HttpResponseHeaders Headers)> ReceiveManifestAsync(
        RegistryHost host, EndpointCapabilities needed, string repository, RequestSubject subject, string tagOrDigest, CancellationToken cancellationToken)
    {
        var template = new HopRequest(subject) { Accept = ManifestsAccepted };
        var received = await _requests.GetDocumentAsync(
            host, needed, $"/v2/{repository}/manifests/{tagOrDigest}", Scopes.Pull(repository), template, RegistryLimits.ManifestBytesMax, Statistics,
            document => CheckDigest(subject, tagOrDigest, document), cancellationToken);
        var digest = CheckDigest(subject, tagOrDigest, received);
        var mediaType = ManifestMediaType.Of(received, subject);
        return (new ImageDocument(new Descriptor { MediaType = mediaType, Digest = digest, Size = received.Content.Length }, received.Content), received.Headers);
    }

    // What a digest names, anybody may say who is believed at all, since it can be checked.
    private static EndpointCapabilities NeededFor(string tagOrDigest) =>
        Digest.TryParse(tagOrDigest, out _) ? EndpointCapabilities.Pull : EndpointCapabilities.Resolve;

    private static Digest CheckDigest(RequestSubject subject, string tagOrDigest, RegistryDocument received)
    {
        var isByDigest = Digest.TryParse(tagOrDigest, out var digest);
        if (!isByDigest && received.ClaimedDigest is { } claim && !Digest.TryParse(claim, out digest))
            throw subject.Error(RegistryFailure.Protocol, received.Hop.Host, "the registry's Docker-Content-Digest is not a sha256 or sha512 digest");
        if (digest.IsDefault)
            return Digest.OfSha256(received.Content);
        return digest.IsDigestOf(received.Content) ? digest : throw DigestMismatch(subject, received.Hop.Host, received.Content);
    }

    private static void CheckSize(RegistryHost host, RequestSubject subject, Descriptor expected, ImageDocument document)
    {
        if (document.Content.Length != expected.Size)
        {
            throw subject.Error(RegistryFailure.Protocol, host.FirstName,
                $"{document.Content.Length} bytes received, its descriptor says {expected.Size}");
        }
    }
}
