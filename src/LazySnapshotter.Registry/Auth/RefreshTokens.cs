using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Auth;

// The refresh tokens that token services hand back of their own accord: each is good for the login it was got with, at the
// service it came from, and where it is rotated it is the only one that still is. In memory alone. Passwords are then
// sent once instead of once per token.
internal sealed class RefreshTokens
{
    private readonly LruCache<(string Host, string Realm, string? Service), (Credentials Login, string Value)> _tokens = new(
        RegistryLimits.RememberedHostsMax);

    public void Keep(string host, AuthenticationChallenge challenge, Credentials login, string value) =>
        _tokens.Set(KeyOf(host, challenge), (login, value));

    public string? Find(string host, AuthenticationChallenge challenge, Credentials login) =>
        _tokens.TryGet(KeyOf(host, challenge), out var kept) && login.IsSameAs(kept.Login) ? kept.Value : null;

    /// <param name="value">The one that was refused. It may have been used up by another request, which brought its successor.</param>
    public void Forget(string host, AuthenticationChallenge challenge, string value) =>
        _tokens.RemoveIf(KeyOf(host, challenge), kept => kept.Value == value);

    private static (string Host, string Realm, string? Service) KeyOf(string host, AuthenticationChallenge challenge) =>
        (host, challenge.Realm ?? "", challenge.Service);
}
