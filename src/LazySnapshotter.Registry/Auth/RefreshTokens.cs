namespace LazySnapshotter.Registry.Auth;

// The refresh tokens that token services hand back of their own accord: each is good for the login it was got with, at the
// service it came from, and where it is rotated it is the only one that still is. In memory alone. Passwords are then
// sent once instead of once per token.
internal sealed class RefreshTokens
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Host, string Realm, string? Service), (Credentials Login, string Value)> _tokens = [];

    public void Keep(string host, AuthenticationChallenge challenge, Credentials login, string value)
    {
        lock (_gate)
        {
            var key = KeyOf(host, challenge);
            if (_tokens.Count >= RegistryLimits.RememberedHostsMax && !_tokens.ContainsKey(key))
                _tokens.Clear();
            _tokens[key] = (login, value);
        }
    }

    public string? Find(string host, AuthenticationChallenge challenge, Credentials login)
    {
        lock (_gate)
            return _tokens.TryGetValue(KeyOf(host, challenge), out var kept) && login.IsSameAs(kept.Login) ? kept.Value : null;
    }

    public void Forget(string host, AuthenticationChallenge challenge)
    {
        lock (_gate)
            _tokens.Remove(KeyOf(host, challenge));
    }

    private static (string Host, string Realm, string? Service) KeyOf(string host, AuthenticationChallenge challenge) =>
        (host, challenge.Realm ?? "", challenge.Service);
}
