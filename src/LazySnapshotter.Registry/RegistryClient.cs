using System.Collections.Concurrent;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry;

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
    private readonly Func<RegistryHost, HostAuthorizer> _createAuthorizer;
    private readonly ConcurrentDictionary<string, RegistryHost> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<(string Host, string Repository, Digest Digest), BlobLocationCell> _locations = new();

    public RegistryClient(RegistryOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _transport = new HttpTransport(options, Statistics, logger);
        _requests = new RegistryRequests(_transport, options);
        _blobServices = new BlobServices(_requests, _transport, new RangelessHosts(options.Clock), options, Statistics, logger);
        var credentials = new DockerCredentials(options, logger);
        var tokenService = new TokenService(_transport, credentials, options, Statistics, logger);
        _referrersTags = new ReferrersTagWriter(ReadTagAsync, PutTagAsync, DeleteAsync);
        _createAuthorizer = host => new HostAuthorizer(host, _transport, tokenService, credentials, options, logger);
    }

    public RegistryStatistics Statistics { get; } = new();

    /// <summary>A blob of a repository; no request is sent before it is read.</summary>
    /// <param name="repository">Registry and repository count; tag and digest do not.</param>
    /// <param name="size">By the blob's descriptor. With it every answer is checked against it.</param>
    public RemoteBlob OpenBlob(ImageReference repository, Digest digest, long? size)
    {
        if (size is not null)
            ArgumentOutOfRangeException.ThrowIfNegative(size.Value);

        // Per repository, even where the blob is the same: who may read it in one may not in another.
        var host = HostOf(repository);
        var cell = LocationOf((host.Name, repository.Repository, digest));
        return new RemoteBlob(new BlobSource(host, repository.Repository, digest, size, cell, _blobServices));
    }

    /// <summary>A small blob as a whole, for example an image configuration; size and digest are checked.</summary>
    /// <exception cref="RegistryException">It cannot be had, is larger than 8 MiB, or is not what the descriptor says.</exception>
    public async Task<byte[]> GetBlobBytesAsync(ImageReference repository, Descriptor descriptor, CancellationToken cancellationToken)
    {
        var host = HostOf(repository);
        var subject = RequestSubject.Blob(descriptor.Digest, null);
        if (descriptor.Size is < 0 or > RegistryLimits.SmallBlobBytesMax)
        {
            throw subject.Error(RegistryFailure.Protocol, host.BaseUri.Authority,
                $"its descriptor says {descriptor.Size} bytes, at most {RegistryLimits.SmallBlobBytesMax} are read into memory");
        }

        var content = new byte[descriptor.Size];
        using var deadline = new Deadline(_options.DocumentDeadline);
        await deadline.RunAsync(host.BaseUri.Authority, subject, async ct =>
        {
            await using var stream = await OpenBlob(repository, descriptor.Digest, descriptor.Size).OpenAsync(ReadPriority.Metadata(), ct);
            await stream.ReadExactlyAsync(content, ct);
            return content;
        }, cancellationToken);
        return descriptor.Digest.IsDigestOf(content) ? content : throw DigestMismatch(subject, host.BaseUri.Authority, content);
    }

    public void Dispose() => _transport.Dispose();

    private static RegistryException DigestMismatch(RequestSubject subject, string host, byte[] content) =>
        subject.Error(RegistryFailure.Protocol, host, $"the {content.Length} bytes received have the digest {Digest.OfSha256(content)}");

    private RegistryHost HostOf(ImageReference reference) =>
        _hosts.GetOrAdd(reference.Registry, static (name, self) => new RegistryHost(name, self._options, self._createAuthorizer), this);

    private BlobLocationCell LocationOf((string Host, string Repository, Digest Digest) key)
    {
        // What is dropped costs one redirect to learn again.
        if (_locations.Count >= RegistryLimits.RememberedBlobsMax && !_locations.ContainsKey(key))
            _locations.Clear();
        return _locations.GetOrAdd(key, static (_, clock) => new BlobLocationCell(clock), _options.Clock);
    }
}
