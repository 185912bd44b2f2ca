using LazySnapshotter.Registry.Auth;

namespace LazySnapshotter.Registry.Memory;

/// <summary>What an endpoint answered to a ping.</summary>
/// <param name="Endpoint">With its scheme: what is wanted over https is not what is wanted over http.</param>
internal sealed record RememberedChallenge(
    string Endpoint, DateTimeOffset LearnedAt, DateTimeOffset ExpiresAt, string Scheme, IReadOnlyDictionary<string, string> Parameters) : IRemembered
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    private const int ParametersMax = 32;

    public string Key => Endpoint;

    public static RememberedChallenge Of(string endpoint, AuthenticationChallenge challenge, DateTimeOffset now) =>
        new(endpoint, now, now + Lifetime, challenge.Scheme, challenge.Parameters);

    public AuthenticationChallenge ToChallenge() => Scheme == AuthenticationChallenge.Anonymous.Scheme
        ? AuthenticationChallenge.Anonymous
        : new AuthenticationChallenge(Scheme, Parameters.ToDictionary(p => p.Key, p => p.Value, StringComparer.OrdinalIgnoreCase));

    public bool IsSound() => RememberedName.IsSound(Endpoint) && Scheme is "anonymous" or "basic" or "bearer"
        && Parameters is { Count: <= ParametersMax } && Parameters.All(p => p.Value is not null && p.Key.Length + p.Value.Length <= RegistryLimits.ChallengeCharsMax);
}
