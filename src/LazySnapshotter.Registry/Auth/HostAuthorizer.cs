using System.Net.Http.Headers;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Memory;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Auth;

// What one host is shown with each request. Learned once each: the challenge by a ping (HostPing), a token per scope set,
// the name and password for Basic. A 401 in the middle of a life replaces what was shown, once for all who got it.
// All of it belongs to the scheme over which it was asked for: what was got for https is never shown in plain http.
internal sealed class HostAuthorizer
{
    // How long a password read from docker's config.json is used without looking there again.
    private static readonly TimeSpan BasicRemembered = TimeSpan.FromMinutes(5);

    // A challenge older than this is asked for again when what it led to fails: token services move.
    private static readonly TimeSpan ChallengeUndoubted = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan PlainHttpRemembered = TimeSpan.FromMinutes(10);

    private readonly RegistryEndpoint _endpoint;
    private readonly HostPing _ping;
    private readonly TokenService _tokenService;
    private readonly CredentialSources _credentials;
    private readonly RegistryMemory _memory;
    private readonly RegistryOptions _options;
    private readonly RegistryStatistics _statistics;
    private readonly SingleFlight<KnownChallenge> _challenge;
    private readonly LruCache<(string Scheme, string Repository), SingleFlight<BasicLogin>> _basic = new(
        RegistryLimits.RememberedTokensMax);
    private readonly LruCache<(string Scheme, string Scope), ScopeToken> _tokens = new(RegistryLimits.RememberedTokensMax);

    public HostAuthorizer(
        RegistryEndpoint endpoint, HttpTransport transport, TokenService tokenService, CredentialSources credentials, RegistryMemory memory,
        RegistryOptions options, RegistryStatistics statistics, ILogger logger)
    {
        _endpoint = endpoint;
        _ping = new HostPing(endpoint, transport, options, logger);
        _tokenService = tokenService;
        _credentials = credentials;
        _memory = memory;
        _options = options;
        _statistics = statistics;
        _challenge = new SingleFlight<KnownChallenge>(LearnChallengeAsync, FreshnessOf);
    }

    /// <summary>What a request that needs <paramref name="scope"/> shows, and where it goes.</summary>
    public async Task<Shown> AuthorizeAsync(string scope, CancellationToken cancellationToken)
    {
        if (_challenge.IsKnown)
            _statistics.CountRemembered(RememberedThing.Challenge);
        var known = await _challenge.GetAsync(cancellationToken);
        try
        {
            return await ShowAsync(known, scope, cancellationToken);
        }
        catch (RegistryException) when (_options.Clock.GetUtcNow() - known.LearnedAt > ChallengeUndoubted)
        {
            if (await AskAgainAsync(known, cancellationToken) is not { } now || now.Challenge.IsSameService(known.Challenge))
                throw;
            return await ShowAsync(now, scope, cancellationToken);
        }
    }

    /// <summary>What the endpoint wants to see, as far as is known.</summary>
    /// <exception cref="RegistryException">The endpoint cannot be connected to.</exception>
    public Task<KnownChallenge> ChallengeAsync(CancellationToken cancellationToken) => _challenge.GetAsync(cancellationToken);

    /// <summary>The token for a scope, at an endpoint that wants one.</summary>
    public async Task<BearerToken> TokenAsync(string scope, CancellationToken cancellationToken) =>
        await TokenOf((await _challenge.GetAsync(cancellationToken)).BaseUri, scope).Token.GetAsync(cancellationToken);

    /// <summary>Takes a 401 as an instruction to get something else than <paramref name="shown"/>.</summary>
    /// <returns>Whether asking again is worth it.</returns>
    public async Task<bool> RenewAsync(HttpResponseMessage unauthorized, string scope, Shown shown, CancellationToken cancellationToken)
    {
        var known = await _challenge.GetAsync(cancellationToken);
        var challenge = AuthenticationChallenge.Of(unauthorized) ?? known.Challenge;
        if (challenge.IsAnonymous || known.BaseUri != shown.BaseUri)
            return false;
        if (!challenge.IsSameService(known.Challenge))
            _challenge.Set(Remember(new KnownChallenge(challenge, _options.Clock.GetUtcNow(), known.BaseUri)));

        if (challenge.IsBasic)
        {
            var basic = BasicOf(known.BaseUri, scope);
            basic.ForgetIf(login => Equals(login.Header, shown.Header));
            return (await basic.GetAsync(cancellationToken)).Header is { } header && !header.Equals(shown.Header);
        }

        TokenOf(known.BaseUri, scope).Refused(shown.Header?.Parameter, challenge.Scope);
        return true;
    }

    /// <summary>
    /// What to show to a place that the endpoint led to and that refused us: an anonymous token, if it wants one. It is good
    /// for this one request; ours are kept, and our credentials stay at home.
    /// </summary>
    public async Task<AuthenticationHeaderValue?> AnonymousAtAsync(HttpResponseMessage unauthorized, Uri place, string scope)
    {
        if (AuthenticationChallenge.Of(unauthorized) is not { IsBearer: true } challenge)
            return null;
        var scopes = string.IsNullOrEmpty(challenge.Scope) ? scope : challenge.Scope;
        return new AuthenticationHeaderValue(
            "Bearer", (await _tokenService.ExchangeAnonymouslyAsync(_endpoint, place, challenge, scopes)).Value);
    }

    /// <summary>There are other credentials for a repository now: what was got with those before is not shown any more.</summary>
    public void CredentialsChanged(string repository)
    {
        _tokens.RemoveWhere(key => Scopes.RepositoryOf(key.Scope) == repository);
        _basic.RemoveWhere(key => key.Repository == repository);
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

    private async Task<Shown> ShowAsync(KnownChallenge known, string scope, CancellationToken cancellationToken) =>
        new(await HeaderAsync(known, scope, cancellationToken), known.BaseUri);

    private async Task<AuthenticationHeaderValue?> HeaderAsync(KnownChallenge known, string scope, CancellationToken cancellationToken)
    {
        if (known.Challenge.IsAnonymous)
            return null;
        if (known.Challenge.IsBasic)
            return (await BasicOf(known.BaseUri, scope).GetAsync(cancellationToken)).Header;
        var flight = TokenOf(known.BaseUri, scope).Token;
        if (flight.IsKnown)
            _statistics.CountRemembered(RememberedThing.Token);
        var token = await flight.GetAsync(cancellationToken);
        return new AuthenticationHeaderValue("Bearer", token.Value);
    }

    private ScopeToken TokenOf(Uri baseUri, string scope) => _tokens.GetOrAdd((baseUri.Scheme, scope), _ =>
    {
        var repository = Scopes.RepositoryOf(scope);
        return new ScopeToken(
            _endpoint.MemoryKeyAt(baseUri), scope, () => FindLoginAsync(baseUri, repository),
            (scopes, login) => ExchangeAsync(baseUri, scopes, login), _memory, _options.Clock);
    });

    // Names and passwords may be limited to some repositories, and a host that takes them does not say which.
    private SingleFlight<BasicLogin> BasicOf(Uri baseUri, string scope) =>
        _basic.GetOrAdd((baseUri.Scheme, Scopes.RepositoryOf(scope)), key => new SingleFlight<BasicLogin>(
        () => FindBasicAsync(baseUri, key.Repository),
        login => _options.Clock.GetUtcNow() < login.ReadAt + BasicRemembered ? Freshness.Fresh : Freshness.Expired));

    private async Task<BearerToken> ExchangeAsync(Uri baseUri, string scopes, Credentials? login)
    {
        var known = await _challenge.GetAsync(CancellationToken.None);
        // A realm that was named in plain http gets no login that was meant for https.
        if (known.BaseUri.Scheme != baseUri.Scheme)
            throw RequestSubject.Token(scopes).TransientError(
                RegistryFailure.Unreachable, _endpoint.Name, $"it speaks {known.BaseUri.Scheme} now, no longer {baseUri.Scheme}");
        return await _tokenService.ExchangeAsync(_endpoint, baseUri, known.Challenge, login, scopes);
    }

    private async Task<Credentials?> FindLoginAsync(Uri baseUri, string repository) =>
        _endpoint.MayBeShownCredentialsAt(baseUri)
            ? await _credentials.FindAsync(_endpoint.CredentialsName, repository, CancellationToken.None)
            : null;

    private async Task<BasicLogin> FindBasicAsync(Uri baseUri, string repository)
    {
        var login = await FindLoginAsync(baseUri, repository);
        return new BasicLogin(login?.ToBasic(), _options.Clock.GetUtcNow());
    }

    // What was found out about a scheme is looked at again now and then: nobody would say that it changed.
    private Freshness FreshnessOf(KnownChallenge known) =>
        _endpoint.IsPlainHttpFound && _options.Clock.GetUtcNow() > known.LearnedAt + PlainHttpRemembered
            ? Freshness.Aging
            : Freshness.Fresh;

    private async Task<KnownChallenge> LearnChallengeAsync()
    {
        if (_endpoint.IsPlainHttpFound || _memory.Challenges.Recall(_endpoint.PingMemoryKey) is not { } remembered)
            return await PingAsync();
        return new KnownChallenge(remembered.ToChallenge(), remembered.LearnedAt, _endpoint.SpokeBefore(new Uri(remembered.Origin)));
    }

    /// <returns>What the endpoint wants now; null if it does not say.</returns>
    private async Task<KnownChallenge?> AskAgainAsync(KnownChallenge doubted, CancellationToken cancellationToken)
    {
        _memory.Challenges.Forget(_endpoint.PingMemoryKey, remembered => remembered.LearnedAt <= doubted.LearnedAt);
        _challenge.ForgetIf(known => ReferenceEquals(known, doubted));
        try
        {
            return await _challenge.GetAsync(cancellationToken);
        }
        catch (RegistryException)
        {
            return null; // What failed first says more.
        }
    }

    private KnownChallenge Remember(KnownChallenge known)
    {
        _memory.Challenges.Remember(RememberedChallenge.Of(_endpoint.PingMemoryKey, known.BaseUri, known.Challenge, known.LearnedAt));
        return known;
    }

    private async Task<KnownChallenge> PingAsync()
    {
        var known = await _ping.AskAsync();
        if (known.PingTrouble is null)
            Remember(known);
        return known;
    }

    // A class: a record would print the password.
    private sealed class BasicLogin(AuthenticationHeaderValue? header, DateTimeOffset readAt)
    {
        public AuthenticationHeaderValue? Header => header;

        public DateTimeOffset ReadAt => readAt;
    }
}
