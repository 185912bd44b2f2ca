using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Manifests;
using LazySnapshotter.Registry.Memory;
using LazySnapshotter.Registry.Referrers;
using LazySnapshotter.Registry.Requests;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Client;

// The distribution client: one per process, safe for concurrent use. It remembers per host what the host wants to see,
// per repository the token, per blob where it lies; nobody asks twice, and of many who ask at once one does. It knows
// images as documents and blobs; what is in a layer is not its business.
public sealed partial class RegistryClient : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly HttpTransport _transport;
    private readonly RegistryRequests _requests;
    private readonly ILogger _logger;
    private readonly BlobServices _blobServices;
    private readonly PullSecrets _pullSecrets = new();
    private readonly HostAuthorizers _authorizers;
    private readonly RegistryMemory _memory;
    private readonly LruCache<string, RegistryHost> _hosts = new(
        RegistryLimits.RememberedHostsMax, comparer: StringComparer.OrdinalIgnoreCase);
    private readonly LruCache<(string Host, string Repository, Digest Digest), BlobLocationCell> _locations = new(
        RegistryLimits.RememberedBlobsMax);

    public RegistryClient(RegistryOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _memory = new RegistryMemory(options, logger);
        _transport = new HttpTransport(options, Statistics, logger);
        Statistics.ShowActivity(() => HostActivity);
        var credentials = new CredentialSources(options, _pullSecrets, logger);
        var tokenService = new TokenService(_transport, options, Statistics, logger);
        _authorizers = new HostAuthorizers(endpoint =>
            new HostAuthorizer(endpoint, _transport, tokenService, credentials, _memory, options, Statistics, logger));
        _requests = new RegistryRequests(_transport, new EndpointFailover(_transport, logger), _authorizers, options);
        _blobServices = new BlobServices(_requests, _transport, new RangeSupport(_memory, options.Clock), options, Statistics, logger);
        _manifests = new ManifestReader(_requests, _memory, options, Statistics, logger);
        _referrersTags = new ReferrersTagWriter(ReadTagAsync, PutTagAsync);
    }

    public RegistryStatistics Statistics { get; } = new();

    /// <summary>What is going on at each host that was spoken to, at this moment.</summary>
    public IReadOnlyList<HostActivity> HostActivity => _transport.Activity;

    /// <summary>A blob of a repository; no request is sent before it is read.</summary>
    /// <param name="repository">Registry and repository count; tag and digest do not.</param>
    /// <param name="size">By the blob's descriptor. With it every answer is checked against it.</param>
    public RemoteBlob OpenBlob(ImageReference repository, Digest digest, long? size) => OpenBlob(repository, digest, size, foreign: null);

    /// <summary>
    /// The same for a descriptor. One that names places itself (image-spec, "urls": foreign layers) is read there, where nobody
    /// is shown anything; the registry is asked for it last.
    /// </summary>
    public RemoteBlob OpenBlob(ImageReference repository, Descriptor descriptor) =>
        OpenBlob(repository, descriptor.Digest, descriptor.Size, ForeignLocation(descriptor));

    /// <summary>A small blob as a whole, for example an image configuration; size and digest are checked.</summary>
    /// <exception cref="RegistryException">It cannot be had, is larger than 8 MiB, or is not what the descriptor says.</exception>
    public async Task<byte[]> GetBlobBytesAsync(ImageReference repository, Descriptor descriptor, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        var subject = RequestSubject.Blob(descriptor.Digest, null);
        if (descriptor.Size is < 0 or > RegistryLimits.SmallBlobBytesMax)
        {
            throw subject.Error(RegistryFailure.Protocol, host.FirstName,
                $"its descriptor says {descriptor.Size} bytes, at most {RegistryLimits.SmallBlobBytesMax} are read into memory");
        }

        var content = new byte[descriptor.Size];
        using var deadline = new Deadline(_options.DocumentDeadline);
        await deadline.RunAsync(host.FirstName, subject, async ct =>
        {
            await using var stream = await OpenBlob(repository, descriptor.Digest, descriptor.Size).OpenAsync(ReadPriority.Metadata(), ct);
            await stream.ReadExactlyAsync(content, ct);
            return content;
        }, cancellationToken);
        return descriptor.Digest.IsDigestOf(content) ? content : throw ManifestCheck.DigestMismatch(subject, host.FirstName, content);
    }

    /// <summary>
    /// Credentials to use for one repository, whatever others can be found for it. They are kept in memory as long as the
    /// client lives, shown to that registry and its token service alone, and neither written down nor logged.
    /// </summary>
    /// <param name="repository">Registry and repository count; tag and digest do not.</param>
    /// <param name="username">Empty or null: the secret is an identity token.</param>
    public void UseCredentials(ImageReference repository, string? username, string secret)
    {
        if (_pullSecrets.Set(repository.Registry, repository.Repository, Credentials.Of(username, secret)))
        {
            foreach (var endpoint in HostOf(repository).Endpoints)
                _authorizers.Of(endpoint).CredentialsChanged(repository.Repository);
        }
    }

    /// <summary>Whatever is under way fails; what was learned is written down.</summary>
    public void Dispose()
    {
        _transport.Dispose();
        _memory.Dispose();
        Statistics.Dispose();
    }

    private RemoteBlob OpenBlob(ImageReference repository, Digest digest, long? size, BlobLocation? foreign)
    {
        if (size is not null)
            ArgumentOutOfRangeException.ThrowIfNegative(size.Value);

        // Per repository, even where the blob is the same: who may read it in one may not in another.
        var host = HostOf(repository);
        var cell = LocationOf(host, repository.Repository, digest);
        cell.Prefill(foreign);
        return new RemoteBlob(new BlobSource(host, repository.Repository, digest, size, cell, _blobServices));
    }

    internal RegistryHost HostOf(ImageReference reference) =>
        _hosts.GetOrAdd(reference.Registry, CreateHost);

    private RegistryHost CreateHost(string name) =>
        new(name, new EndpointList(name, _options, settings => new RegistryEndpoint(settings, _options, _memory), _logger));

    // What is dropped costs one redirect to learn again.
    private BlobLocationCell LocationOf(RegistryHost host, string repository, Digest digest) =>
        _locations.GetOrAdd((host.Name, repository, digest), key => new BlobLocationCell(_options.Clock, new LocationMemory(
            _memory, host.Name, repository, digest, () =>
                host.Endpoints.Any(e => e.SchemeIsGuess || e.BaseUri.Scheme == Uri.UriSchemeHttp), _options.Clock)));

    // Plain http only where a registry there would be spoken to in plain http.
    private BlobLocation? ForeignLocation(Descriptor descriptor) => BlobLocation.Foreign([.. (descriptor.Urls ?? [])
        .Take(RegistryLimits.ForeignUrlsMax)
        .Select(url => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri : null).OfType<Uri>()
        .Where(uri => uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && _options.PlainHttp(uri.Authority)))]);
}
