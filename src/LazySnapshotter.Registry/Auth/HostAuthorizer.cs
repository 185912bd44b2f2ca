using System.Net;
using System.Net.Http.Headers;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Memory;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Auth;

// What one host is shown with each request. Learned once each: the challenge by a ping (GET /v2/), a token per scope set,
// the name and password for Basic. A 401 in the middle of a life replaces what was shown, once for all who got it.
internal sealed class HostAuthorizer
{
    // How long a password read from docker's config.json is used without looking there again.
    private static readonly TimeSpan BasicRemembered = TimeSpan.FromMinutes(5);

    // A challenge older than this is asked for again when what it led to fails: token services move.
    private static readonly TimeSpan ChallengeUndoubted = TimeSpan.FromMinutes(1);

    private readonly RegistryEndpoint _endpoint;
    private readonly HttpTransport _transport;
    private readonly TokenService _tokenService;
    private readonly CredentialSources _credentials;
    private readonly RegistryMemory _memory;
    private readonly RegistryOptions _options;
    private readonly ILogger _logger;
    private readonly SingleFlight<KnownChallenge> _challenge;
    private readonly LruCache<string, SingleFlight<BasicLogin>> _basic = new(RegistryLimits.RememberedTokensMax); // by repository
    private readonly LruCache<string, ScopeToken> _tokens = new(RegistryLimits.RememberedTokensMax); // by scope

    public HostAuthorizer(
        RegistryEndpoint endpoint, HttpTransport transport, TokenService tokenService, CredentialSources credentials, RegistryMemory memory,
        RegistryOptions options, ILogger logger)
    {
        _endpoint = endpoint;
        _transport = transport;
        _tokenService = tokenService;
        _credentials = credentials;
        _memory = memory;
        _options = options;
        _logger = logger;
        _challenge = new SingleFlight<KnownChallenge>(LearnChallengeAsync, _ => Freshness.Fresh);
    }

    /// <summary>The header for a request that needs <paramref name="scope"/>; null where the host wants none or we have none.</summary>
    public async Task<AuthenticationHeaderValue?> AuthorizeAsync(string scope, CancellationToken cancellationToken)
    {
        var known = await _challenge.GetAsync(cancellationToken);
        try
        {
            return await HeaderAsync(known.Challenge, scope, cancellationToken);
        }
        catch (RegistryException) when (_options.Clock.GetUtcNow() - known.LearnedAt > ChallengeUndoubted)
        {
            if (await AskAgainAsync(known, cancellationToken) is not { } now || now.IsSameService(known.Challenge))
                throw;
            return await HeaderAsync(now, scope, cancellationToken);
        }
    }

    /// <summary>Takes a 401 as an instruction to get something else than <paramref name="shown"/>.</summary>
    /// <returns>Whether asking again is worth it.</returns>
    public async Task<bool> RenewAsync(HttpResponseMessage unauthorized, string scope, AuthenticationHeaderValue? shown, CancellationToken cancellationToken)
    {
        var known = (await _challenge.GetAsync(cancellationToken)).Challenge;
        var challenge = ChallengeOf(unauthorized) ?? known;
        if (challenge.IsAnonymous)
            return false;
        if (!challenge.IsSameService(known))
            _challenge.Set(Remember(challenge));

        if (challenge.IsBasic)
        {
            var basic = BasicOf(scope);
            basic.ForgetIf(login => Equals(login.Header, shown));
            return (await basic.GetAsync(cancellationToken)).Header is { } header && !header.Equals(shown);
        }

        TokenOf(scope).Refused(shown?.Parameter, challenge.Scope);
        return true;
    }

    /// <summary>
    /// What to show to a place that the endpoint led to and that refused us: an anonymous token, if it wants one. It is good
    /// for this one request; ours are kept, and our credentials stay at home.
    /// </summary>
    public async Task<AuthenticationHeaderValue?> AnonymousAtAsync(HttpResponseMessage unauthorized, Uri place, string scope)
    {
        if (ChallengeOf(unauthorized) is not { IsBearer: true } challenge)
            return null;
        var scopes = string.IsNullOrEmpty(challenge.Scope) ? scope : challenge.Scope;
        return new AuthenticationHeaderValue("Bearer", (await _tokenService.ExchangeAnonymouslyAsync(_endpoint, place, challenge, scopes)).Value);
    }

    /// <summary>There are other credentials for a repository now: what was got with those before is not shown any more.</summary>
    public void CredentialsChanged(string repository)
    {
        _tokens.RemoveWhere(scope => Scopes.RepositoryOf(scope) == repository);
        _basic.Remove(repository);
    }

    /// <summary>The scheme it spoke before a restart gets no answer now: which one it speaks is to be found out again.</summary>
    public void DoubtScheme()
    {
        if (!_endpoint.SchemeIsRecalled)
            return; // Somebody else did.
        _memory.Challenges.Forget(_endpoint.PingMemoryKey);
        _endpoint.DoubtScheme();
        _challenge.ForgetIf(_ => true);
    }

    private async Task<AuthenticationHeaderValue?> HeaderAsync(AuthenticationChallenge challenge, string scope, CancellationToken cancellationToken)
    {
        if (challenge.IsAnonymous)
            return null;
        if (challenge.IsBasic)
            return (await BasicOf(scope).GetAsync(cancellationToken)).Header;
        var token = await TokenOf(scope).Token.GetAsync(cancellationToken);
        return new AuthenticationHeaderValue("Bearer", token.Value);
    }

    private ScopeToken TokenOf(string scope) => _tokens.GetOrAdd(scope, name =>
    {
        var repository = Scopes.RepositoryOf(name);
        return new ScopeToken(
            _endpoint.MemoryKey, name, () => FindLoginAsync(repository),
            ExchangeAsync, _memory, _options.Clock);
    });

    // Names and passwords may be limited to some repositories, and a host that takes them does not say which.
    private SingleFlight<BasicLogin> BasicOf(string scope) => _basic.GetOrAdd(Scopes.RepositoryOf(scope), name => new SingleFlight<BasicLogin>(
        () => FindBasicAsync(name),
        login => _options.Clock.GetUtcNow() < login.ReadAt + BasicRemembered ? Freshness.Fresh : Freshness.Expired));

    private async Task<BearerToken> ExchangeAsync(string scopes, Credentials? login) =>
        await _tokenService.ExchangeAsync(_endpoint, (await _challenge.GetAsync(CancellationToken.None)).Challenge, login, scopes);

    private async Task<Credentials?> FindLoginAsync(string repository) =>
        _endpoint.MayBeShownCredentials ? await _credentials.FindAsync(_endpoint.CredentialsName, repository, CancellationToken.None) : null;

    private async Task<BasicLogin> FindBasicAsync(string repository)
    {
        var login = await FindLoginAsync(repository);
        return new BasicLogin(login?.ToBasic(), _options.Clock.GetUtcNow());
    }

    private async Task<KnownChallenge> LearnChallengeAsync()
    {
        if (_memory.Challenges.Recall(_endpoint.PingMemoryKey) is not { } remembered)
            return Remember(await PingAsync());
        _endpoint.SpokeBefore(new Uri(remembered.Origin));
        return new KnownChallenge(remembered.ToChallenge(), remembered.LearnedAt);
    }

    /// <returns>What the endpoint wants now; null if it does not say.</returns>
    private async Task<AuthenticationChallenge?> AskAgainAsync(KnownChallenge doubted, CancellationToken cancellationToken)
    {
        _memory.Challenges.Forget(_endpoint.PingMemoryKey, remembered => remembered.LearnedAt <= doubted.LearnedAt);
        _challenge.ForgetIf(known => ReferenceEquals(known, doubted));
        try
        {
            return (await _challenge.GetAsync(cancellationToken)).Challenge;
        }
        catch (RegistryException)
        {
            return null; // What failed first says more.
        }
    }

    private KnownChallenge Remember(AuthenticationChallenge challenge)
    {
        var now = _options.Clock.GetUtcNow();
        _memory.Challenges.Remember(RememberedChallenge.Of(_endpoint.PingMemoryKey, _endpoint.BaseUri, challenge, now));
        return new KnownChallenge(challenge, now);
    }

    private async Task<AuthenticationChallenge> PingAsync()
    {
        using var deadline = new Deadline(_options.DocumentDeadline);
        var challenge = await deadline.RunAsync(
            _endpoint.Name, RequestSubject.Ping, ct => RetryLoop.RunAsync(_endpoint.RetryLimit, attempt => PingOnceAsync(attempt, ct)), CancellationToken.None);
        _logger.HostPinged(_endpoint.Name, _endpoint.BaseUri.Scheme, challenge.Scheme);
        return challenge;
    }

    private async Task<AuthenticationChallenge> PingOnceAsync(int attempt, CancellationToken cancellationToken)
    {
        if (!_endpoint.SchemeIsGuess)
            return await PingOnceAsync(_endpoint.BaseUri, attempt, cancellationToken);
        var (challenge, winner) = await SchemeRace.RunAsync(
            _endpoint.BaseUri, (baseUri, ct) => PingOnceAsync(baseUri, attempt, ct), _options.Clock, cancellationToken);
        _endpoint.Speaks(winner);
        if (winner.Scheme == Uri.UriSchemeHttp)
            _logger.PlainHttpFound(_endpoint.Name);
        return challenge;
    }

    private async Task<AuthenticationChallenge> PingOnceAsync(Uri baseUri, int attempt, CancellationToken cancellationToken)
    {
        var hop = new HopRequest(_endpoint.UriOf(baseUri, "/v2/"), RequestSubject.Ping) { Attempt = attempt, Home = _endpoint };
        for (var redirects = 0; redirects <= RegistryLimits.RedirectsMax; redirects++)
        {
            using var response = await _transport.SendAsync(hop, cancellationToken);
            if (RedirectPolicy.IsRedirect(response.StatusCode))
            {
                if (_endpoint.SchemeIsGuess && baseUri.Scheme == Uri.UriSchemeHttp)
                    throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, "it redirects, so it is no registry that speaks plain http", response.StatusCode);
                hop = hop with { Uri = RedirectPolicy.Next(hop, response) };
                continue;
            }

            // What another host wants is between it and the requests that are led there.
            if (response.StatusCode == HttpStatusCode.Unauthorized && !RedirectPolicy.IsSameOrigin(_endpoint.BaseUri, hop.Uri))
                return AuthenticationChallenge.Anonymous;
            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                return ChallengeOf(response) ?? throw hop.Subject.Error(
                    RegistryFailure.Protocol, hop.Host, "401 without a Basic or Bearer challenge", response.StatusCode);
            }

            // Where the API is not in its place, what a registry needs not have may be missing; a 401 will tell what is wanted.
            if (!_endpoint.OverridesPath || response.StatusCode != HttpStatusCode.NotFound)
                await ResponseCheck.EnsureSuccessAsync(response, hop, _options, cancellationToken);
            return AuthenticationChallenge.Anonymous;
        }

        throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"more than {RegistryLimits.RedirectsMax} redirects");
    }

    private static AuthenticationChallenge? ChallengeOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values)
            ? AuthenticationChallenge.Choose(ChallengeParser.Parse(values))
            : null;

    private sealed record KnownChallenge(AuthenticationChallenge Challenge, DateTimeOffset LearnedAt);

    private sealed record BasicLogin(AuthenticationHeaderValue? Header, DateTimeOffset ReadAt);
}
