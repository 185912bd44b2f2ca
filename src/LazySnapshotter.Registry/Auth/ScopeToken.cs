using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Auth;

// The token for one scope. A registry may want more than the scope we asked for: then what it wants goes in front, for
// this scope alone, so that no token gathers all scopes ever seen (go-containerregistry #1744).
//
// A token that is remembered, from before a restart or from another process, is taken instead of a new one as long as it
// is good, if it was got with the credentials that would be shown now.
internal sealed class ScopeToken
{
    private readonly string _endpoint;
    private readonly string _scope;
    private readonly Func<Task<Credentials?>> _findLogin;
    private readonly Func<string, Credentials?, Task<BearerToken>> _exchange;
    private readonly RegistryMemory _memory;
    private readonly TimeProvider _clock;
    private volatile string _scopes;
    private volatile string? _lastValue;

    /// <param name="endpoint">Of the registry the token is for, as it is remembered.</param>
    /// <param name="exchange">From scopes and credentials to a token, at the token service.</param>
    public ScopeToken(
        string endpoint, string scope, Func<Task<Credentials?>> findLogin, Func<string, Credentials?, Task<BearerToken>> exchange,
        RegistryMemory memory, TimeProvider clock)
    {
        _endpoint = endpoint;
        _scope = scope;
        _scopes = scope;
        _findLogin = findLogin;
        _exchange = exchange;
        _memory = memory;
        _clock = clock;
        Token = new SingleFlight<BearerToken>(LearnAsync, token => token.FreshnessAt(clock.GetUtcNow()));
    }

    public SingleFlight<BearerToken> Token { get; }

    private string MemoryKey => RememberedToken.KeyOf(_endpoint, _scope);

    /// <param name="value">The token that was shown; another one in its place stays.</param>
    /// <param name="wantedScope">The scope in the challenge that came with the refusal.</param>
    public void Refused(string? value, string? wantedScope)
    {
        if (!string.IsNullOrEmpty(wantedScope) && wantedScope != _scope)
            _scopes = wantedScope.Split(' ').Contains(_scope) ? wantedScope : wantedScope + " " + _scope;
        _memory.Tokens.Forget(MemoryKey, token => token.Value == value);
        Token.ForgetIf(token => token.Value == value);
    }

    private async Task<BearerToken> LearnAsync()
    {
        var login = await _findLogin();
        var token = Recall(login) ?? await ExchangeAsync(login);
        _lastValue = token.Value;
        return token;
    }

    private BearerToken? Recall(Credentials? login)
    {
        // The one we had is no longer good enough, or nobody would be asking.
        if (_memory.Tokens.Recall(MemoryKey) is not { } remembered
            || remembered.Login != _memory.MarkOf(login) || remembered.Value == _lastValue)
            return null;
        var token = new BearerToken(remembered.Value, remembered.LearnedAt, remembered.ExpiresAt - remembered.LearnedAt);
        if (token.FreshnessAt(_clock.GetUtcNow()) == Freshness.Expired)
            return null;
        _scopes = remembered.Scopes;
        return token;
    }

    private async Task<BearerToken> ExchangeAsync(Credentials? login)
    {
        var scopes = _scopes;
        var token = await _exchange(scopes, login);
        _memory.Tokens.Remember(
            new RememberedToken(_endpoint, _scope, scopes, token.AskedAt, token.ExpiresAt, _memory.MarkOf(login), token.Value));
        return token;
    }
}
