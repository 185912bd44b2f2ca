using System.Text.Json.Serialization;

namespace LazySnapshotter.Oci;

// A content descriptor (OCI image-spec, descriptor.md): what it is, how to check it, how long it is.
// Size counts the bytes as they travel, so for a layer the compressed length.
public sealed record Descriptor
{
    /// <summary>
    /// The blob <c>{}</c>: what an artifact without a configuration has in its place (manifest.md, "Guidance for an Empty Descriptor").
    /// </summary>
    public static Descriptor EmptyJson { get; } = new()
    {
        MediaType = MediaTypes.OciEmpty,
        Digest = Digest.OfSha256("{}"u8),
        Size = 2,
    };

    [JsonPropertyName("mediaType")]
    public required string MediaType { get; init; }

    [JsonPropertyName("digest")]
    public required Digest Digest { get; init; }

    [JsonPropertyName("size")]
    public required long Size { get; init; }

    [JsonPropertyName("urls")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Urls { get; init; }

    [JsonPropertyName("annotations")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>
    /// The content itself in base64, where it is so short that a request for it would cost more. Whoever uses it checks it.
    /// </summary>
    [JsonPropertyName("data")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Data { get; init; }

    [JsonPropertyName("platform")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Platform? Platform { get; init; }

    [JsonPropertyName("artifactType")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ArtifactType { get; init; }
}
