using System.Globalization;
using System.Text.Json;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Auth;

// What a token service answered, read and checked: a value that can stand in a header, and nothing of it in any message.
internal sealed record TokenAnswer(BearerToken Token, string? RefreshToken)
{
    /// <param name="mediaType">Said in the error only: services mark their JSON in many ways.</param>
    /// <exception cref="RegistryException">It is no token, or none that can be shown to anybody.</exception>
    public static TokenAnswer Read(byte[] body, string? mediaType, string realm, RequestSubject subject, DateTimeOffset askedAt)
    {
        TokenDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(body, HttpJsonContext.Default.TokenDocument);
        }
        catch (JsonException)
        {
            // The exception's message may quote the document, and with it a token.
            var what = mediaType is { Length: > 0 and < 100 } ? $" but {mediaType}" : "";
            throw subject.Error(RegistryFailure.Protocol, realm, $"the token service's answer is not a token document{what}");
        }

        var value = string.IsNullOrEmpty(document?.AccessToken) ? document?.Token : document.AccessToken;
        if (string.IsNullOrEmpty(value))
            throw subject.Error(RegistryFailure.Protocol, realm, "the token service's answer holds no token");
        if (value.Length > RegistryLimits.TokenCharsMax || value.Any(c => c is <= ' ' or > '~'))
            throw subject.Error(RegistryFailure.Protocol, realm, "the token service's token cannot be sent in a header");
        var kept = TextOf(document?.RefreshToken);
        var refresh = kept is { Length: > 0 and <= RegistryLimits.TokenCharsMax } ? kept : null;
        return new TokenAnswer(new BearerToken(value, askedAt, LifetimeOf(document?.ExpiresIn)), refresh);
    }

    // In seconds, as a number or as a string with one. Whatever else is there is no lifetime, and the token is good all the same.
    private static TimeSpan LifetimeOf(JsonElement? said)
    {
        var seconds = 0.0;
        if (said is { ValueKind: JsonValueKind.Number } number)
            number.TryGetDouble(out seconds);
        else
            double.TryParse(TextOf(said), NumberStyles.Float, CultureInfo.InvariantCulture, out seconds);
        return TimeSpan.FromSeconds(Math.Clamp(double.IsFinite(seconds) ? seconds : 0, 0, int.MaxValue));
    }

    private static string? TextOf(JsonElement? said)
    {
        try
        {
            return said is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Half of a character ("\ud800"), which an element may hold, but not give out.
        }
    }

    public override string ToString() => "token";
}
