using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Manifests;

namespace LazySnapshotter.Registry.Client;

// From a tag or digest to the manifest of a platform. Every document is bounded, and checked against the digest by which it
// was asked for or, for a tag, against the digest the registry claims for it, before anything in it is believed.
public sealed partial class RegistryClient
{
    private readonly ManifestReader _manifests;

    /// <exception cref="RegistryException">It cannot be had, or a document is not what its digest says.</exception>
    /// <exception cref="InvalidDataException">A document is no image's manifest or index (it says what it is), or has nothing for the
    /// platform.</exception>
    public Task<ResolvedManifest> ResolveAsync(ImageReference reference, Platform platform, CancellationToken cancellationToken) =>
        ResolveAsync(reference, platform, rememberedIfUnreachable: false, cancellationToken);

    /// <param name="rememberedIfUnreachable">
    /// If the registry cannot be reached at all, a tag stands for what it was last seen to stand for
    /// (<see cref="ResolvedManifest.TagSeenAt"/>). Otherwise a tag is never answered without asking.
    /// </param>
    /// <inheritdoc cref="ResolveAsync(ImageReference, Platform, CancellationToken)"/>
    public async Task<ResolvedManifest> ResolveAsync(
        ImageReference reference, Platform platform, bool rememberedIfUnreachable, CancellationToken cancellationToken)
    {
        var host = HostOf(reference);
        try
        {
            return await WithinDeadlineAsync(ct => ResolveAsync(host, reference, platform, root: null, ct));
        }
        catch (RegistryException e) when (rememberedIfUnreachable
            && reference.Digest is null && e.Failure is RegistryFailure.Unreachable or RegistryFailure.TimedOut)
        {
            if (_manifests.LastNamed(host, reference.Repository, reference.TagOrDigest) is not { } last)
                throw;
            _logger.TagFromMemory(host.Name, reference.Repository, reference.TagOrDigest, last.SeenAt, e.Message);
            return await WithinDeadlineAsync(
                ct => ResolveAsync(host, reference, platform, last.Document, ct)) with { TagSeenAt = last.SeenAt };
        }

        async Task<ResolvedManifest> WithinDeadlineAsync(Func<CancellationToken, Task<ResolvedManifest>> resolve)
        {
            using var deadline = new Deadline(_options.DocumentDeadline);
            return await deadline.RunAsync(
                host.FirstName, RequestSubject.Manifest(reference.Repository, reference.TagOrDigest), resolve, cancellationToken);
        }
    }

    /// <summary>A manifest or index by its descriptor, checked against it.</summary>
    /// <exception cref="RegistryException">It cannot be had, is larger than 4 MiB, or is not what the descriptor says.</exception>
    public async Task<byte[]> GetManifestAsync(ImageReference repository, Descriptor descriptor, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        var subject = RequestSubject.Manifest(repository.Repository, descriptor.Digest.ToString());
        using var deadline = new Deadline(_options.DocumentDeadline);
        var document = await deadline.RunAsync(
            host.FirstName, subject, ct =>
                _manifests.GetAsync(host, repository.Repository, descriptor.Digest.ToString(), ct), cancellationToken);
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
            host.FirstName, subject, ct => _manifests.GetAsync(host, reference.Repository, reference.TagOrDigest, ct), cancellationToken);
    }

    private async Task<ResolvedManifest> ResolveAsync(
        RegistryHost host, ImageReference reference, Platform platform, ImageDocument? root, CancellationToken cancellationToken)
    {
        var documents = new List<ImageDocument>();
        var tagOrDigest = reference.TagOrDigest;
        Descriptor? expected = null;
        while (true)
        {
            var subject = RequestSubject.Manifest(reference.Repository, tagOrDigest);
            var document = root ?? await _manifests.GetAsync(host, reference.Repository, tagOrDigest, cancellationToken);
            root = null;
            if (expected is not null)
                CheckSize(host, subject, expected, document);
            documents.Add(document);

            var what = $"{host.FirstName}: {subject.Text}";
            if (MediaTypes.IsManifest(document.Descriptor.MediaType))
            {
                var manifest = OciJson.ReadManifest(document.Content, what);
                if (ArtifactKind.WhyNoImage(manifest) is { } kind)
                    throw new InvalidDataException($"{what}: this is no container image, but {kind}");
                // Whoever asks for such a layer by its digest alone is led to the places its descriptor names.
                foreach (var layer in manifest.Layers.Where(layer => layer.Urls is { Count: > 0 }))
                    OpenBlob(reference, layer);
                return new ResolvedManifest { Reference = reference, Manifest = manifest, ChosenFor = expected?.Platform,
                    Documents = documents };
            }

            if (documents.Count == RegistryLimits.IndexDepthMax)
                throw new InvalidDataException($"{what}: more than {RegistryLimits.IndexDepthMax - 1} indexes inside each other");
            expected = PlatformChoice.Of(OciJson.ReadUsableIndex(document.Content, what), platform, what);
            tagOrDigest = expected.Digest.ToString();
        }
    }

    // What a digest names, anybody may say who is believed at all, since it can be checked.
    private static EndpointCapabilities NeededFor(string tagOrDigest) =>
        Digest.TryParse(tagOrDigest, out _) ? EndpointCapabilities.Pull : EndpointCapabilities.Resolve;

    private static void CheckSize(RegistryHost host, RequestSubject subject, Descriptor expected, ImageDocument document)
    {
        if (document.Content.Length != expected.Size)
        {
            throw subject.Error(RegistryFailure.Protocol, host.FirstName,
                $"{document.Content.Length} bytes received, its descriptor says {expected.Size}");
        }
    }
}
