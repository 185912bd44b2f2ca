using System.Net;
using System.Net.Http.Headers;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Requests;

/// <summary>The head of a final answer and the hop that got it; its body is still to be read.</summary>
/// <param name="Endpoint">Through which it came, redirected or not; null where a remembered place was asked without one.</param>
internal sealed record RegistryResponse(HttpResponseMessage Message, HopRequest Hop, RegistryEndpoint? Endpoint, bool Redirected)
    : IDisposable
{
    public void Dispose() => Message.Dispose();
}

// A request at a registry, with what the endpoint wants to see, through redirects to wherever the content lies. Credentials
// go to the endpoint's own origin, and not even there any more once a redirect has led away from it.
internal sealed class RegistryRequests(
    HttpTransport transport, EndpointFailover failover, HostAuthorizers authorizers, RegistryOptions options)
{
    /// <summary>One attempt at each endpoint that may be asked, until one of them has what <paramref name="use"/> wants.</summary>
    /// <param name="preferred">The endpoint that had it before.</param>
    /// <exception cref="RegistryException">Nobody has it.</exception>
    public Task<T> OnEndpointsAsync<T>(
        RegistryHost host, EndpointCapabilities needed, Func<RegistryEndpoint, Task<T>> use, RegistryEndpoint? preferred = null) =>
        failover.RunAsync(host, needed, preferred, use);

    /// <summary>One attempt; the response may be of any status but a redirect.</summary>
    /// <param name="path">As the specification has it, beginning with <c>/v2/</c>.</param>
    public async Task<RegistryResponse> SendAsync(
        RegistryEndpoint endpoint, string path, string scope, HopRequest template, CancellationToken cancellationToken)
    {
        // First: whether an endpoint speaks https may be learned on the way.
        var shown = await authorizers.Of(endpoint).AuthorizeAsync(scope, cancellationToken);
        var isSchemeRecalled = endpoint.SchemeIsRecalled;
        try
        {
            return await FollowAsync(
                endpoint, scope, template with { Uri = endpoint.UriOf(shown.BaseUri, path) }, shown, cancellationToken);
        }
        catch (RegistryException e) when (isSchemeRecalled && e.StatusCode is null && template.Body?.CanRepeat != false
            && !(e.Failure == RegistryFailure.TimedOut && Decision.IsPending))
        {
            authorizers.Of(endpoint).DoubtScheme();
            shown = await authorizers.Of(endpoint).AuthorizeAsync(scope, cancellationToken);
            return await FollowAsync(
                endpoint, scope, template with { Uri = endpoint.UriOf(shown.BaseUri, path) }, shown, cancellationToken);
        }
    }

    /// <summary>
    /// The same for a place a registry named, an upload's for example; elsewhere than at the endpoint it is shown nothing.
    /// </summary>
    public async Task<RegistryResponse> SendAsync(
        RegistryEndpoint endpoint, string scope, HopRequest request, CancellationToken cancellationToken)
    {
        var isHome = RedirectPolicy.IsSameOrigin(endpoint.BaseUri, request.Uri);
        var shown = isHome ? await authorizers.Of(endpoint).AuthorizeAsync(scope, cancellationToken) : new Shown(null, endpoint.BaseUri);
        return await FollowAsync(endpoint, scope, request, shown, cancellationToken);
    }

    /// <summary>The same for a place a registry redirected to earlier: nothing is shown there.</summary>
    public async Task<RegistryResponse> GetRememberedAsync(HopRequest hop, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ;)
        {
            var response = await transport.SendAsync(hop, cancellationToken);
            if (!RedirectStatus.Is(response.StatusCode))
                return new RegistryResponse(response, hop, Endpoint: null, Redirected: true);
            using (response)
                hop = RedirectPolicy.Follow(hop, response, home: null, ref redirects);
        }
    }

    /// <exception cref="RegistryException">The status says that there is none, or the body cannot be read.</exception>
    public async Task<RegistryDocument> ReadAsync(
        RegistryResponse response, int limitBytes, RegistryStatistics statistics, CancellationToken cancellationToken)
    {
        await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, options, cancellationToken);
        var content = await BoundedBody.ReadAsync(response.Message, response.Hop, limitBytes, options, cancellationToken);
        statistics.CountDocumentBytes(content.Length);
        return new RegistryDocument(
            content, response.Message.Content.Headers.ContentType?.MediaType, ClaimedDigest(
                response.Message), response.Hop, response.Message.Headers);
    }

    public static string? ClaimedDigest(HttpResponseMessage response) => ClaimedDigest(response.Headers);

    /// <summary>The digest to call a document by, of which only the head came; null where the bytes have to tell (ManifestCheck).</summary>
    public static Digest? ClaimedName(HttpResponseMessage response) =>
        Digest.TryParse(ClaimedDigest(response), out var digest) && digest.Algorithm == Digest.Sha256Algorithm ? digest : null;

    public static string? ClaimedDigest(HttpResponseHeaders headers) =>
        headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First() : null;

    private async Task<RegistryResponse> FollowAsync(
        RegistryEndpoint endpoint, string scope, HopRequest hop, Shown shown, CancellationToken cancellationToken)
    {
        hop = hop with { Home = endpoint, Authorization = HeaderFor(hop.Uri, shown) };
        var renewed = false;
        var strangers = 0; // that wanted a token of their own
        var redirects = 0;
        while (true)
        {
            var response = await transport.SendAsync(hop, cancellationToken);
            try
            {
                if (RedirectStatus.Is(response.StatusCode))
                {
                    hop = RedirectPolicy.Follow(hop, response, shown.BaseUri, ref redirects);
                }
                else if (response.StatusCode == HttpStatusCode.Unauthorized && !renewed && IsHome(hop, shown.BaseUri, redirects)
                    && hop.Body?.CanRepeat != false
                    && await authorizers.Of(endpoint).RenewAsync(response, scope, shown, cancellationToken))
                {
                    renewed = true;
                    shown = await authorizers.Of(endpoint).AuthorizeAsync(scope, cancellationToken);
                    hop = hop with { Authorization = HeaderFor(hop.Uri, shown), IsFollowUp = true };
                }
                else if (response.StatusCode == HttpStatusCode.Unauthorized && hop.Authorization is null
                    && !RedirectPolicy.IsSameOrigin(shown.BaseUri, hop.Uri)
                        && (hop.Method == HttpMethod.Get || hop.Method == HttpMethod.Head) && strangers++ == 0
                    && await authorizers.Of(endpoint).AnonymousAtAsync(response, hop.Uri, scope) is { } anonymous)
                {
                    hop = hop with { Authorization = anonymous, IsFollowUp = true };
                }
                else
                {
                    var final = new RegistryResponse(response, hop, endpoint, redirects > 0);
                    response = null;
                    return final;
                }
            }
            finally
            {
                response?.Dispose();
            }
        }
    }

    // Its scheme may have changed since the request was made; then nothing is shown.
    private static AuthenticationHeaderValue? HeaderFor(Uri place, Shown shown) =>
        RedirectPolicy.IsSameOrigin(shown.BaseUri, place) ? shown.Header : null;

    private static bool IsHome(HopRequest hop, Uri home, int redirects) =>
        RedirectPolicy.IsSameOrigin(home, hop.Uri) && (redirects == 0 || hop.Authorization is not null);
}

/// <param name="MediaType">From Content-Type, without parameters.</param>
/// <param name="ClaimedDigest">From Docker-Content-Digest, not yet checked.</param>
internal sealed record RegistryDocument(
    byte[] Content, string? MediaType, string? ClaimedDigest, HopRequest Hop, HttpResponseHeaders Headers);
