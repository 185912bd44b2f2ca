using System.Text.Json.Serialization;

namespace LazySnapshotter.Oci;

// The part of an image configuration (OCI image-spec config.md) that says which filesystem it makes and how it starts.
public sealed record ImageConfig
{
    [JsonPropertyName("architecture")]
    public string Architecture { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("os")]
    public string Os { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("rootfs")]
    public required RootFilesystem RootFs { get; init; }

    [JsonPropertyName("config")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ExecutionParameters? Config { get; init; }

    public sealed record RootFilesystem
    {
        /// <summary>SHA-256 of each layer's uncompressed tar, lowest first.</summary>
        [JsonPropertyName("diff_ids")]
        public required IReadOnlyList<Digest> DiffIds { get; init; }
    }

    public sealed record ExecutionParameters
    {
        [JsonPropertyName("Entrypoint")]
        public IReadOnlyList<string>? Entrypoint { get; init; }

        [JsonPropertyName("Cmd")]
        public IReadOnlyList<string>? Cmd { get; init; }

        /// <summary><c>NAME=value</c>; PATH is where a command without a slash is looked for.</summary>
        [JsonPropertyName("Env")]
        public IReadOnlyList<string>? Env { get; init; }

        [JsonPropertyName("WorkingDir")]
        public string? WorkingDir { get; init; }
    }
}
