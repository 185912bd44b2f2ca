using System.Net;
using System.Text;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Auth;

// Exchanges credentials (or none) for a token at the realm a challenge names (distribution's "Token Authentication
// Specification" and "Oauth2 Token Authentication"). The realm gets the registry's credentials by design, so it must be
// https wherever the registry is, and a redirect away from it gets none. What is sent, in this order:
//   POST refresh_token   where the service handed one back, or the login is one; refused, the next is tried
//   GET with Basic       the one way that all services know, and one request; without a login it is sent without
//   POST password        where the service answers to GET that it does not know it (404, 405)
internal sealed class TokenService(HttpTransport transport, RegistryOptions options, RegistryStatistics statistics, ILogger logger)
{
    // Services learn GET too; one request in an hour finds out.
    private static readonly TimeSpan PostOnlyRemembered = TimeSpan.FromHours(1);

    private readonly RefreshTokens _refreshTokens = new();
    // until when, by realm
    private readonly LruCache<string, DateTimeOffset> _postOnly = new(RegistryLimits.RememberedHostsMax, comparer: StringComparer.Ordinal);

    /// <summary>A token for a place that the endpoint led to: nothing of ours is shown for it.</summary>
    public Task<BearerToken> ExchangeAnonymouslyAsync(
        RegistryEndpoint endpoint, Uri place, AuthenticationChallenge challenge, string scopes) =>
        ExchangeAsync(endpoint, place, challenge, login: null, scopes);

    /// <param name="challenger">Where the challenge came from.</param>
    /// <param name="login">Null: a token for anybody.</param>
    /// <param name="scopes">Separated by spaces; the most specific first, since some services look at the first alone.</param>
    public async Task<BearerToken> ExchangeAsync(
        RegistryEndpoint endpoint, Uri challenger, AuthenticationChallenge challenge, Credentials? login, string scopes)
    {
        var subject = RequestSubject.Token(scopes);
        var realm = CheckRealm(challenger, challenge, subject);
        using var deadline = new Deadline(options.DocumentDeadline);
        return await deadline.RunAsync(realm.Authority, subject, async ct =>
        {
            var exchange = new Exchange(endpoint, realm, challenge, scopes, subject, login);
            var answer = await AskAsync(exchange, ct);
            if (login is not null && answer.RefreshToken is { } refreshToken)
                _refreshTokens.Keep(endpoint.CredentialsName, challenge, login, refreshToken);
            logger.TokenTaken(endpoint.Name, scopes, realm.GetLeftPart(UriPartial.Path), answer.Token.Lifetime.TotalSeconds);
            return answer.Token;
        }, CancellationToken.None);
    }

    private static Uri CheckRealm(Uri challenger, AuthenticationChallenge challenge, RequestSubject subject)
    {
        if (!Uri.TryCreate(challenge.Realm, UriKind.Absolute, out var realm) || realm.Scheme is not ("https" or "http"))
            throw subject.Error(RegistryFailure.Protocol, challenger.Authority, "the challenge's realm is not an http URL");
        if (realm.Scheme != Uri.UriSchemeHttps && challenger.Scheme == Uri.UriSchemeHttps)
            throw subject.Error(
                RegistryFailure.Protocol, challenger.Authority, $"the challenge's realm at {realm.Authority} is plain http");
        if (realm.UserInfo.Length > 0)
            throw subject.Error(RegistryFailure.Protocol, challenger.Authority, $"the challenge's realm at {realm.Authority} names a user");
        return realm;
    }

    private async Task<TokenAnswer> AskAsync(Exchange exchange, CancellationToken cancellationToken)
    {
        var (login, host) = (exchange.Login, exchange.Endpoint.CredentialsName);
        if (login is null)
            return await GetAsync(exchange, cancellationToken);

        if (_refreshTokens.Find(host, exchange.Challenge, login) is { } handedBack)
        {
            try
            {
                return await PostAsync(exchange, RefreshGrant(handedBack), cancellationToken);
            }
            catch (RegistryException e) when (!e.IsTransient && e.StatusCode is not null)
            {
                _refreshTokens.Forget(host, exchange.Challenge, handedBack);
            }
        }

        if (login.IdentityToken is { } identityToken)
        {
            try
            {
                return await PostAsync(exchange, RefreshGrant(identityToken), cancellationToken);
            }
            catch (RegistryException e)
                when (DoesNotKnow(e) || (login.HasPassword && e.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized))
            {
                // Services older than OAuth2 know GET alone, and some say so with 400 (ACR) or 401 (Artifactory).
            }
        }

        var key = exchange.Realm.ToString();
        if (login.HasPassword && _postOnly.TryGet(key, out var until) && options.Clock.GetUtcNow() < until)
            return await PostAsync(exchange, login.ToPasswordGrant(), cancellationToken);
        try
        {
            return await GetAsync(exchange, cancellationToken);
        }
        catch (RegistryException e) when (login.HasPassword && DoesNotKnow(e))
        {
            var answer = await PostAsync(exchange, login.ToPasswordGrant(), cancellationToken);
            _postOnly.Set(key, options.Clock.GetUtcNow() + PostOnlyRemembered);
            return answer;
        }
    }

    private static bool DoesNotKnow(RegistryException e) => e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed;

    private static KeyValuePair<string, string>[] RefreshGrant(string token) =>
        [new("grant_type", "refresh_token"), new("refresh_token", token)];

    private Task<TokenAnswer> PostAsync(
        Exchange exchange, IEnumerable<KeyValuePair<string, string>> grant, CancellationToken cancellationToken) =>
        SendAsync(exchange, new HopRequest(exchange.Realm, exchange.Subject)
        {
            Form = [.. grant, new(
                "service", exchange.Challenge.Service ?? ""), new("client_id", options.UserAgent), new("scope", exchange.Scopes)],
        }, cancellationToken);

    private Task<TokenAnswer> GetAsync(Exchange exchange, CancellationToken cancellationToken) =>
        SendAsync(exchange, new HopRequest(
            WithQuery(exchange), exchange.Subject) { Authorization = exchange.Login?.ToBasic() }, cancellationToken);

    private Task<TokenAnswer> SendAsync(Exchange exchange, HopRequest request, CancellationToken cancellationToken) =>
        RetryLoop.RunAsync(exchange.Endpoint.RetryLimit, async attempt =>
        {
            var askedAt = options.Clock.GetUtcNow();
            var hop = request with { Attempt = attempt, Home = exchange.Endpoint };
            for (var redirects = 0; ;)
            {
                using var response = await transport.SendAsync(hop, cancellationToken);
                // A secret in a form is not posted to wherever a redirect says.
                if (!RedirectStatus.Is(response.StatusCode) || hop.Form is not null)
                {
                    await ResponseCheck.EnsureSuccessAsync(response, hop, options, cancellationToken);
                    var body = await BoundedBody.ReadAsync(response, hop, RegistryLimits.TokenBodyBytesMax, options, cancellationToken);
                    statistics.CountDocumentBytes(body.Length);
                    return TokenAnswer.Read(body, response.Content.Headers.ContentType?.MediaType, hop.Host, hop.Subject, askedAt);
                }

                hop = RedirectPolicy.Follow(hop, response, exchange.Realm, ref redirects);
            }
        });

    private static Uri WithQuery(Exchange exchange)
    {
        var query = new StringBuilder(exchange.Realm.Query.TrimStart('?'));
        if (exchange.Challenge.Service is { } service)
            Append("service", service);
        foreach (var scope in exchange.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            Append("scope", scope);
        return new UriBuilder(exchange.Realm) { Query = query.ToString(), Fragment = "" }.Uri;

        void Append(string name, string value) =>
            query.Append(query.Length == 0 ? "" : "&").Append(name).Append('=').Append(Uri.EscapeDataString(value));
    }

    // One question. A class: a record would print the login.
    private sealed class Exchange(
        RegistryEndpoint endpoint, Uri realm, AuthenticationChallenge challenge, string scopes, RequestSubject subject, Credentials? login)
    {
        public RegistryEndpoint Endpoint => endpoint;

        public Uri Realm => realm;

        public AuthenticationChallenge Challenge => challenge;

        public string Scopes => scopes;

        public RequestSubject Subject => subject;

        public Credentials? Login => login;
    }
}
