using System.Text;
using System.Text.Json;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Auth;

// Exchanges credentials (or none) for a token at the realm a challenge names (distribution's "Token Authentication
// Specification" and "Oauth2 Token Authentication"). The realm gets the registry's credentials by design, so it must be
// https wherever the registry is, and a redirect away from it gets none.
internal sealed class TokenService(HttpTransport transport, RegistryOptions options, RegistryStatistics statistics, ILogger logger)
{
    /// <param name="login">Null: a token for anybody.</param>
    /// <param name="scopes">Separated by spaces; the most specific first, since some services look at the first alone.</param>
    public async Task<BearerToken> ExchangeAsync(RegistryEndpoint endpoint, AuthenticationChallenge challenge, Credentials? login, string scopes)
    {
        var subject = RequestSubject.Token(scopes);
        var realm = CheckRealm(endpoint, challenge, subject);
        using var deadline = new Deadline(options.DocumentDeadline);
        return await deadline.RunAsync(realm.Authority, subject, async ct =>
        {
            var askedAt = options.Clock.GetUtcNow();
            var body = await AskAsync(endpoint, realm, challenge, scopes, subject, login, ct);
            var token = Read(body, realm, subject, askedAt);
            logger.TokenTaken(endpoint.Name, scopes, realm.GetLeftPart(UriPartial.Path), token.Lifetime.TotalSeconds);
            return token;
        }, CancellationToken.None);
    }

    private static Uri CheckRealm(RegistryEndpoint endpoint, AuthenticationChallenge challenge, RequestSubject subject)
    {
        if (!Uri.TryCreate(challenge.Realm, UriKind.Absolute, out var realm) || realm.Scheme is not ("https" or "http"))
            throw subject.Error(RegistryFailure.Protocol, endpoint.Name, "the challenge's realm is not an http URL");
        if (realm.Scheme != Uri.UriSchemeHttps && endpoint.BaseUri.Scheme == Uri.UriSchemeHttps)
            throw subject.Error(RegistryFailure.Protocol, endpoint.Name, $"the challenge's realm at {realm.Authority} is plain http");
        return realm;
    }

    private async Task<byte[]> AskAsync(
        RegistryEndpoint endpoint, Uri realm, AuthenticationChallenge challenge, string scopes, RequestSubject subject, Credentials? login,
        CancellationToken cancellationToken)
    {
        if (login?.IdentityToken is { } identityToken)
        {
            var form = new List<KeyValuePair<string, string>>
            {
                new("grant_type", "refresh_token"),
                new("service", challenge.Service ?? ""),
                new("client_id", options.UserAgent),
                new("scope", scopes),
                new("refresh_token", identityToken),
            };
            try
            {
                return await SendAsync(endpoint, new HopRequest(realm, subject) { Form = form }, cancellationToken);
            }
            catch (RegistryException e) when (e.Failure == RegistryFailure.NotFound && login.ToBasic() is not null)
            {
                // Services older than OAuth2 know GET alone.
            }
        }

        return await SendAsync(endpoint, new HopRequest(WithQuery(realm, challenge, scopes), subject) { Authorization = login?.ToBasic() }, cancellationToken);
    }

    private Task<byte[]> SendAsync(RegistryEndpoint endpoint, HopRequest request, CancellationToken cancellationToken) =>
        RetryLoop.RunAsync(endpoint.RetryLimit, async attempt =>
        {
            var hop = request with { Attempt = attempt };
            for (var redirects = 0; ; redirects++)
            {
                using var response = await transport.SendAsync(hop, cancellationToken);
                // A refresh token is not posted to wherever a redirect says.
                if (!RedirectPolicy.IsRedirect(response.StatusCode) || hop.Form is not null)
                {
                    await ResponseCheck.EnsureSuccessAsync(response, hop, options, cancellationToken);
                    var body = await BoundedBody.ReadAsync(response, hop, RegistryLimits.TokenBodyBytesMax, options, cancellationToken);
                    statistics.CountDocumentBytes(body.Length);
                    return body;
                }

                if (redirects == RegistryLimits.RedirectsMax)
                    throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"more than {RegistryLimits.RedirectsMax} redirects");
                var next = RedirectPolicy.Next(hop, response);
                hop = hop with { Uri = next, Authorization = RedirectPolicy.IsSameOrigin(hop.Uri, next) ? hop.Authorization : null };
            }
        });

    private static Uri WithQuery(Uri realm, AuthenticationChallenge challenge, string scopes)
    {
        var query = new StringBuilder(realm.Query.TrimStart('?'));
        if (challenge.Service is { } service)
            Append("service", service);
        foreach (var scope in scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            Append("scope", scope);
        return new UriBuilder(realm) { Query = query.ToString(), Fragment = "" }.Uri;

        void Append(string name, string value) =>
            query.Append(query.Length == 0 ? "" : "&").Append(name).Append('=').Append(Uri.EscapeDataString(value));
    }

    private static BearerToken Read(byte[] body, Uri realm, RequestSubject subject, DateTimeOffset askedAt)
    {
        TokenDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(body, HttpJsonContext.Default.TokenDocument);
        }
        catch (JsonException)
        {
            // The exception's message may quote the document, and with it a token.
            throw subject.Error(RegistryFailure.Protocol, realm.Authority, "the token service's answer is not a token document");
        }

        var value = string.IsNullOrEmpty(document?.AccessToken) ? document?.Token : document.AccessToken;
        if (string.IsNullOrEmpty(value))
            throw subject.Error(RegistryFailure.Protocol, realm.Authority, "the token service's answer holds no token");
        if (value.Length > RegistryLimits.TokenCharsMax || value.Any(c => c is <= ' ' or > '~'))
            throw subject.Error(RegistryFailure.Protocol, realm.Authority, "the token service's token cannot be sent in a header");
        var seconds = Math.Clamp(document?.ExpiresIn is { } said && double.IsFinite(said) ? said : 0, 0, int.MaxValue);
        return new BearerToken(value, askedAt, TimeSpan.FromSeconds(seconds));
    }
}
