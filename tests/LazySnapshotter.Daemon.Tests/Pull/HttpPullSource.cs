using System.Net.Http.Headers;
using LazySnapshotter.Daemon.Pull;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Tests.Pull;

public sealed class HttpPullSource : IPullSource
{
    private static readonly HttpClient Http = new();

    public async Task<(PullDocument? Index, PullDocument Manifest)> ResolveAsync(ImageReference reference, Platform platform, CancellationToken cancellationToken)
    {
        var top = await Get(reference, reference.TagOrDigest);
        if (!MediaTypes.IsIndex(top.MediaType))
            return (null, top);
        var child = OciJson.ReadIndex(top.Content, "index").Manifests.First(m => m.Platform is { } p && platform.Runs(p));
        return (top, await Get(reference, child.Digest.ToString()));
    }

    public Task<byte[]> GetBlobBytesAsync(ImageReference reference, Descriptor descriptor, CancellationToken cancellationToken) =>
        Http.GetByteArrayAsync(new Uri($"http://{reference.Registry}/v2/{reference.Repository}/blobs/{descriptor.Digest}"), cancellationToken);

    public IBlobReader OpenBlob(ImageReference reference, Digest digest, long size) => new Reader(reference, digest);

    private static async Task<PullDocument> Get(ImageReference reference, string tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{reference.Registry}/v2/{reference.Repository}/manifests/{tag}"));
        foreach (var t in new[] { MediaTypes.OciIndex, MediaTypes.OciManifest })
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(t));
        using var response = await Http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        var bytes = await response.Content.ReadAsByteArrayAsync();
        return new PullDocument(response.Content.Headers.ContentType!.MediaType!, Digest.OfSha256(bytes), bytes);
    }

    private sealed class Reader(ImageReference reference, Digest digest) : IBlobReader
    {
        public Digest Digest => digest;

        public Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
            Http.GetStreamAsync(new Uri($"http://{reference.Registry}/v2/{reference.Repository}/blobs/{digest}"), cancellationToken);

        public async Task<Stream> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{reference.Registry}/v2/{reference.Repository}/blobs/{digest}"));
            request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);
            var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(cancellationToken);
        }
    }
}
