using System.Net;
using System.Net.Http.Headers;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Http;

/// <summary>The head of a final answer and the hop that got it; its body is still to be read.</summary>
internal sealed record RegistryResponse(HttpResponseMessage Message, HopRequest Hop, bool Redirected) : IDisposable
{
    public void Dispose() => Message.Dispose();
}

// A request at a registry, with what the host wants to see, through redirects to wherever the content lies. Credentials go
// to the registry's own origin, and not even there any more once a redirect has led away from it.
internal sealed class RegistryRequests(HttpTransport transport, RegistryOptions options)
{
    /// <summary>One attempt; the response may be of any status but a redirect.</summary>
    public Task<RegistryResponse> SendAsync(RegistryHost host, string path, string scope, HopRequest template, CancellationToken cancellationToken) =>
        SendAsync(host, scope, template with { Uri = new Uri(host.BaseUri, path) }, cancellationToken);

    /// <summary>The same for a place a registry named, an upload's for example; elsewhere than at the registry it is shown nothing.</summary>
    public async Task<RegistryResponse> SendAsync(RegistryHost host, string scope, HopRequest request, CancellationToken cancellationToken)
    {
        var isHome = RedirectPolicy.IsSameOrigin(host.BaseUri, request.Uri);
        var shown = isHome ? await host.Authorizer.AuthorizeAsync(scope, cancellationToken) : null;
        var hop = request with { Authorization = shown };
        var renewed = false;
        var redirects = 0;
        while (true)
        {
            var response = await transport.SendAsync(hop, cancellationToken);
            try
            {
                if (RedirectPolicy.IsRedirect(response.StatusCode))
                {
                    hop = Follow(hop, response, host, ref redirects);
                }
                else if (response.StatusCode == HttpStatusCode.Unauthorized && !renewed && IsHome(hop, host, redirects)
                    && hop.Body?.CanRepeat != false
                    && await host.Authorizer.RenewAsync(response, scope, shown, cancellationToken))
                {
                    renewed = true;
                    shown = await host.Authorizer.AuthorizeAsync(scope, cancellationToken);
                    hop = hop with { Authorization = shown };
                }
                else
                {
                    var final = new RegistryResponse(response, hop, redirects > 0);
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

    /// <summary>The same for a place a registry redirected to earlier: nothing is shown there.</summary>
    public async Task<RegistryResponse> GetRememberedAsync(HopRequest hop, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ;)
        {
            var response = await transport.SendAsync(hop, cancellationToken);
            if (!RedirectPolicy.IsRedirect(response.StatusCode))
                return new RegistryResponse(response, hop, Redirected: true);
            using (response)
                hop = Follow(hop, response, host: null, ref redirects);
        }
    }

    /// <summary>A small document as a whole: repeated where that may help, bounded, decoded by nobody.</summary>
    public Task<RegistryDocument> GetDocumentAsync(
        RegistryHost host, string path, string scope, HopRequest template, int limitBytes, RegistryStatistics statistics, CancellationToken cancellationToken) =>
        RetryLoop.RunAsync(options.RetryLimit, async attempt =>
        {
            using var response = await SendAsync(host, path, scope, template with { Attempt = attempt }, cancellationToken);
            await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, options, cancellationToken);
            var content = await BoundedBody.ReadAsync(response.Message, response.Hop, limitBytes, options, cancellationToken);
            statistics.CountDocumentBytes(content.Length);
            return new RegistryDocument(
                content, response.Message.Content.Headers.ContentType?.MediaType, ClaimedDigest(response.Message), response.Hop, response.Message.Headers);
        });

    public static string? ClaimedDigest(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First() : null;

    private static bool IsHome(HopRequest hop, RegistryHost host, int redirects) =>
        RedirectPolicy.IsSameOrigin(host.BaseUri, hop.Uri) && (redirects == 0 || hop.Authorization is not null);

    private static HopRequest Follow(HopRequest hop, HttpResponseMessage response, RegistryHost? host, ref int redirects)
    {
        if (redirects++ == RegistryLimits.RedirectsMax)
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"more than {RegistryLimits.RedirectsMax} redirects", response.StatusCode);
        var next = RedirectPolicy.Next(hop, response);
        if (!RedirectPolicy.MayRepeat(hop, response.StatusCode))
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"a redirect of a {hop.Method} that cannot be followed", response.StatusCode);
        var staysHome = host is not null && RedirectPolicy.IsSameOrigin(hop.Uri, next) && RedirectPolicy.IsSameOrigin(host.BaseUri, next);
        return hop with { Uri = next, Authorization = staysHome ? hop.Authorization : null };
    }
}

/// <param name="MediaType">From Content-Type, without parameters.</param>
/// <param name="ClaimedDigest">From Docker-Content-Digest, not yet checked.</param>
internal sealed record RegistryDocument(byte[] Content, string? MediaType, string? ClaimedDigest, HopRequest Hop, HttpResponseHeaders Headers);
