namespace LazySnapshotter.Registry.Auth;

// The token for one scope. A registry may want more than the scope we asked for: then what it wants goes in front, for
// this scope alone, so that no token gathers all scopes ever seen (go-containerregistry #1744).
internal sealed class ScopeToken
{
    private readonly string _scope;
    private volatile string _scopes;

    public ScopeToken(string scope, Func<string, Task<BearerToken>> exchange, TimeProvider clock)
    {
        _scope = scope;
        _scopes = scope;
        Token = new SingleFlight<BearerToken>(() => exchange(_scopes), token => token.FreshnessAt(clock.GetUtcNow()));
    }

    public SingleFlight<BearerToken> Token { get; }

    /// <param name="value">The token that was shown; another one in its place stays.</param>
    /// <param name="wantedScope">The scope in the challenge that came with the refusal.</param>
    public void Refused(string? value, string? wantedScope)
    {
        if (!string.IsNullOrEmpty(wantedScope) && wantedScope != _scope)
            _scopes = wantedScope.Split(' ').Contains(_scope) ? wantedScope : wantedScope + " " + _scope;
        Token.ForgetIf(token => token.Value == value);
    }
}
