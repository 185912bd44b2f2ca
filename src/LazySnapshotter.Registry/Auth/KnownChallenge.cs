using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Auth;

/// <summary>What an endpoint wants to see, and how it is reached.</summary>
/// <param name="BaseUri">Scheme, host and port.</param>
/// <param name="PingTrouble">Why its ping told nothing: it is shown nothing until a request is refused. Null where it did.</param>
internal sealed record KnownChallenge(AuthenticationChallenge Challenge, DateTimeOffset LearnedAt, Uri BaseUri, string? PingTrouble = null);
