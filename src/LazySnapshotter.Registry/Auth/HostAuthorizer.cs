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

    /// <summary>There are other credentials for a repository now: what was got with those before is not shown any more.</summary>
    public void CredentialsChanged(string repository)
    {
        _tokens.RemoveWhere(scope => Scopes.RepositoryOf(scope) == repository);
        _basic.Remove(repository);
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
            _endpoint.MemoryKey, name, () => _credentials.FindAsync(_endpoint.CredentialsName, repository, CancellationToken.None),
            ExchangeAsync, _memory, _options.Clock);
    });

    // Names and passwords may be limited to some repositories, and a host that takes them does not say which.
    private SingleFlight<BasicLogin> BasicOf(string scope) => _basic.GetOrAdd(Scopes.RepositoryOf(scope), name => new SingleFlight<BasicLogin>(
        () => FindBasicAsync(name),
        login => _options.Clock.GetUtcNow() < login.ReadAt + BasicRemembered ? Freshness.Fresh : Freshness.Expired));

    private async Task<BearerToken> ExchangeAsync(string scopes, Credentials? login) =>
        await _tokenService.ExchangeAsync(_endpoint, (await _challenge.GetAsync(CancellationToken.None)).Challenge, login, scopes);

    private async Task<BasicLogin> FindBasicAsync(string repository)
    {
        var login = await _credentials.FindAsync(_endpoint.CredentialsName, repository, CancellationToken.None);
        return new BasicLogin(login?.ToBasic(), _options.Clock.GetUtcNow());
    }

    private async Task<KnownChallenge> LearnChallengeAsync() => _memory.Challenges.Recall(_endpoint.MemoryKey) is { } remembered
        ? new KnownChallenge(remembered.ToChallenge(), remembered.LearnedAt)
        : Remember(await PingAsync());

    /// <returns>What the endpoint wants now; null if it does not say.</returns>
    private async Task<AuthenticationChallenge?> AskAgainAsync(KnownChallenge doubted, CancellationToken cancellationToken)
    {
        _memory.Challenges.Forget(_endpoint.MemoryKey, remembered => remembered.LearnedAt <= doubted.LearnedAt);
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
        _memory.Challenges.Remember(RememberedChallenge.Of(_endpoint.MemoryKey, challenge, now));
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
        var hop = new HopRequest(_endpoint.UriOf("/v2/"), RequestSubject.Ping) { Attempt = attempt };
        for (var redirects = 0; redirects <= RegistryLimits.RedirectsMax; redirects++)
        {
            using var response = await _transport.SendAsync(hop, cancellationToken);
            if (RedirectPolicy.IsRedirect(response.StatusCode))
            {
                hop = hop with { Uri = RedirectPolicy.Next(hop, response) };
                continue;
            }

            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                return ChallengeOf(response) ?? throw hop.Subject.Error(
                    RegistryFailure.Protocol, hop.Host, "401 without a Basic or Bearer challenge", response.StatusCode);
            }

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
