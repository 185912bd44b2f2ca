using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Memory;

/// <summary>What an endpoint answered to a ping.</summary>
/// <param name="Endpoint">With its scheme, where that is known: what is wanted over https is not what is wanted over http.</param>
/// <param name="Origin">Where it was, with the scheme it spoke.</param>
internal sealed record RememberedChallenge(
    string Endpoint, string Origin, DateTimeOffset LearnedAt, DateTimeOffset ExpiresAt, string Scheme, IReadOnlyDictionary<string,
    string> Parameters) : IRemembered
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    private const int ParametersMax = 32;

    public string Key => Endpoint;

    public static RememberedChallenge Of(string endpoint, Uri origin, AuthenticationChallenge challenge, DateTimeOffset now) =>
        new(endpoint, origin.GetLeftPart(UriPartial.Authority), now, now + Lifetime, challenge.Scheme, challenge.Parameters);

    public AuthenticationChallenge ToChallenge() => Scheme == AuthenticationChallenge.Anonymous.Scheme
        ? AuthenticationChallenge.Anonymous
        : new AuthenticationChallenge(Scheme, Parameters.ToDictionary(p => p.Key, p => p.Value, StringComparer.OrdinalIgnoreCase));

    public bool IsSound() => RememberedName.IsSound(Endpoint) && RememberedName.IsSound(Origin)
        && Uri.TryCreate(Origin, UriKind.Absolute, out var origin)
            && origin.Scheme is "https" or "http" && Scheme is "anonymous" or "basic" or "bearer"
        && Parameters is { Count: <= ParametersMax }
            && Parameters.All(p => p.Value is not null && p.Key.Length + p.Value.Length <= RegistryLimits.ChallengeCharsMax);
}
