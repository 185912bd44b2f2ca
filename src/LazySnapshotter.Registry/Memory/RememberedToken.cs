using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Memory;

/// <summary>A token that was got for a scope. A secret, so it never becomes text.</summary>
/// <param name="Endpoint">Of the registry it is for, with its scheme.</param>
/// <param name="Scope">For what we wanted it.</param>
/// <param name="Scopes">What was asked for, which is more where the registry wanted more.</param>
/// <param name="Login">The mark of the credentials it was got with: somebody else's token is not ours.</param>
internal sealed record RememberedToken(
    string Endpoint, string Scope, string Scopes, DateTimeOffset LearnedAt, DateTimeOffset ExpiresAt, string Login, string Value)
        : IRemembered
{
    public string Key => KeyOf(Endpoint, Scope);

    public static string KeyOf(string endpoint, string scope) => endpoint + " " + scope;

    public bool IsSound() =>
        RememberedName.IsSound(Endpoint) && RememberedName.IsSound(Scope) && RememberedName.IsSound(Scopes) && RememberedName.IsSound(Login)
        && !string.IsNullOrEmpty(Value) && Value.Length <= RegistryLimits.TokenCharsMax && Value.All(c => c is > ' ' and <= '~');

    public override string ToString() => $"token for {Key}";
}
