using System.Net;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Auth;

// GET /v2/, which tells what an endpoint wants to see, and of one nobody configured whether it speaks https. It decides
// nothing else: containerd never asks it, so there are registries that answer it with 403, 404, 429, 500, a page, a redirect
// to a page, or never, and work. Then requests are sent with nothing to show, and a 401 to one of them is the challenge.
// It is not repeated for that. Only where nobody can be connected to at all is it an error.
internal sealed class HostPing(RegistryEndpoint endpoint, HttpTransport transport, RegistryOptions options, ILogger logger)
{
    // Longer than an answer takes from the other side of the world; after it going on without costs less.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <exception cref="RegistryException">The endpoint cannot be connected to.</exception>
    public async Task<KnownChallenge> AskAsync()
    {
        using var deadline = new Deadline(options.DocumentDeadline);
        var known = await deadline.RunAsync(
            endpoint.Name, RequestSubject.Ping,
            ct => RetryLoop.RunAsync(
                endpoint.RetryLimit, attempt => endpoint.SchemeIsGuess ? RaceAsync(attempt, ct) : AskPatientlyAsync(attempt, ct)),
            CancellationToken.None);
        if (known.PingTrouble is null)
            logger.HostPinged(endpoint.Name, known.BaseUri.Scheme, known.Challenge.Scheme);
        else
            logger.PingToldNothing(endpoint.Name, known.PingTrouble);
        return known;
    }

    private async Task<KnownChallenge> AskPatientlyAsync(int attempt, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            return Answered(await AskAsync(endpoint.BaseUri, attempt, patience.Token), endpoint.BaseUri);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ToldNothing($"{endpoint.Name}: ping: no answer within {Patience.TotalSeconds:0} s", endpoint.BaseUri);
        }
        catch (RegistryException e) when (!e.IsNoConnection || e.Host != endpoint.Name)
        {
            return ToldNothing(e.Message, endpoint.BaseUri);
        }
    }

    // Whoever answers over https speaks it, whatever the answer is. In plain http an answer that is no registry's counts only
    // where https is not there, and not where it says that https is what is spoken.
    private async Task<KnownChallenge> RaceAsync(int attempt, CancellationToken cancellationToken)
    {
        KnownChallenge? inPlainHttp = null;
        KnownChallenge known;
        try
        {
            (known, _) = await SchemeRace.RunAsync(endpoint.SecureUri, AskOneAsync, options.Clock, cancellationToken);
        }
        catch (RegistryException) when (inPlainHttp is not null)
        {
            known = inPlainHttp;
        }

        if (!endpoint.MayBeShownCredentialsAt(known.BaseUri) && !endpoint.IsPlainHttpFound)
            logger.PlainHttpFound(endpoint.Name);
        endpoint.Speaks(known.BaseUri);
        return known;

        async Task<KnownChallenge> AskOneAsync(Uri baseUri, CancellationToken ct)
        {
            try
            {
                return Answered(await AskAsync(baseUri, attempt, ct), baseUri);
            }
            catch (RegistryException e) when (e.StatusCode is not null && baseUri.Scheme == Uri.UriSchemeHttps)
            {
                return ToldNothing(e.Message, baseUri);
            }
            catch (RegistryException e) when (e.StatusCode is { } status && !MeansHttps(status))
            {
                inPlainHttp = ToldNothing(e.Message, baseUri);
                throw;
            }
        }
    }

    // A server that expects TLS answers plain http with 400 (nginx, Go) or 426, one that has both ports with a redirect.
    private static bool MeansHttps(HttpStatusCode status) =>
        RedirectStatus.Is(status) || status is HttpStatusCode.BadRequest or HttpStatusCode.UpgradeRequired;

    private async Task<AuthenticationChallenge> AskAsync(Uri baseUri, int attempt, CancellationToken cancellationToken)
    {
        var hop = new HopRequest(endpoint.UriOf(baseUri, "/v2/"), RequestSubject.Ping) { Attempt = attempt, Home = endpoint };
        for (var redirects = 0; ;)
        {
            using var response = await transport.SendAsync(hop, cancellationToken);
            if (RedirectStatus.Is(response.StatusCode))
            {
                if (endpoint.SchemeIsGuess && baseUri.Scheme == Uri.UriSchemeHttp)
                {
                    throw hop.Subject.Error(
                        RegistryFailure.Protocol, hop.Host, "it redirects, so it is no registry in plain http", response.StatusCode);
                }

                hop = RedirectPolicy.Follow(hop, response, home: null, ref redirects);
                continue;
            }

            // What another host wants is between it and the requests that are led there.
            if (response.StatusCode == HttpStatusCode.Unauthorized && !RedirectPolicy.IsSameOrigin(baseUri, hop.Uri))
                return AuthenticationChallenge.Anonymous;
            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                return AuthenticationChallenge.Of(response) ?? throw hop.Subject.Error(
                    RegistryFailure.Protocol, hop.Host, "401 without a Basic or Bearer challenge", response.StatusCode);
            }

            await ResponseCheck.EnsureSuccessAsync(response, hop, options, cancellationToken);
            return AuthenticationChallenge.Anonymous;
        }
    }

    private KnownChallenge Answered(AuthenticationChallenge challenge, Uri baseUri) => new(challenge, options.Clock.GetUtcNow(), baseUri);

    private KnownChallenge ToldNothing(string cause, Uri baseUri) =>
        new(AuthenticationChallenge.Anonymous, options.Clock.GetUtcNow(), baseUri, cause);
}
