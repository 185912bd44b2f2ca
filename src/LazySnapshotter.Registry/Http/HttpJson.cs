using System.Text.Json;
using System.Text.Json.Serialization;

namespace LazySnapshotter.Registry.Http;

// The two JSON documents of the protocol that are not content: errors (distribution-spec, "Error Codes") and tokens
// (distribution's token authentication specification).
internal sealed record ErrorDocument(
    [property: JsonPropertyName("errors")] IReadOnlyList<ErrorEntry?>? Errors,
    [property: JsonPropertyName("details")] string? Details,
    [property: JsonPropertyName("error")] string? Error);

internal sealed record ErrorEntry(
    [property: JsonPropertyName("code")] string? Code, [property: JsonPropertyName("message")] string? Message);

internal sealed record TokenDocument(
    [property: JsonPropertyName("token")] string? Token,
    [property: JsonPropertyName("access_token")] string? AccessToken,
    [property: JsonPropertyName("expires_in")] JsonElement ExpiresIn,
    [property: JsonPropertyName("refresh_token")] JsonElement RefreshToken);

/// <summary>A page of a repository's tags (distribution-spec, "Listing Tags").</summary>
internal sealed record TagsDocument([property: JsonPropertyName("tags")] IReadOnlyList<string?>? Tags);

[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(TokenDocument))]
[JsonSerializable(typeof(TagsDocument))]
internal sealed partial class HttpJsonContext : JsonSerializerContext;
