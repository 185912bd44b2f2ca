using System.Text.Json;
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
        var seconds = Math.Clamp(document?.ExpiresIn is { } said && double.IsFinite(said) ? said : 0, 0, int.MaxValue);
        var refresh = document?.RefreshToken is { Length: > 0 and <= RegistryLimits.TokenCharsMax } kept ? kept : null;
        return new TokenAnswer(new BearerToken(value, askedAt, TimeSpan.FromSeconds(seconds)), refresh);
    }

    public override string ToString() => "token";
}
