namespace LazySnapshotter.Registry.Headers;

// What a host wants before it answers (RFC 9110 section 11.6.1; distribution's token authentication specification
// for Bearer). Anonymous stands for a host that wants nothing.
internal sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public static readonly AuthenticationChallenge Anonymous = new("anonymous", new Dictionary<string, string>());

    public bool IsAnonymous => ReferenceEquals(this, Anonymous);

    public bool IsBasic => Scheme == "basic";

    public bool IsBearer => Scheme == "bearer";

    public string? Realm => Parameters.GetValueOrDefault("realm");

    public string? Service => Parameters.GetValueOrDefault("service");

    public string? Scope => Parameters.GetValueOrDefault("scope");

    /// <returns>What a 401 says is wanted; null where that is nothing we know.</returns>
    public static AuthenticationChallenge? Of(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values) ? Choose(ChallengeParser.Parse(values)) : null;

    /// <summary>Bearer before Basic: a token opens one repository for minutes, a password everything for ever.</summary>
    public static AuthenticationChallenge? Choose(IReadOnlyList<AuthenticationChallenge> challenges) =>
        challenges.FirstOrDefault(c => c.IsBearer && c.Realm is not null) ?? challenges.FirstOrDefault(c => c.IsBasic);

    /// <summary>Whether tokens for the one are tokens for the other; the scope belongs to a request, not to the host.</summary>
    public bool IsSameService(AuthenticationChallenge other) =>
        Scheme == other.Scheme && Realm == other.Realm && Service == other.Service;
}
