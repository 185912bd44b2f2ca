namespace LazySnapshotter.Oci;

// The part of an image configuration (OCI image-spec config.md) that says which filesystem it makes and how it starts.
public sealed record ImageConfig
{
    public string Architecture { get; init; } = "";

    public string Os { get; init; } = "";

    public required RootFilesystem RootFs { get; init; }

    public ExecutionParameters? Config { get; init; }

    public sealed record RootFilesystem
    {
        /// <summary>SHA-256 of each layer's uncompressed tar, lowest first.</summary>
        public required IReadOnlyList<Digest> DiffIds { get; init; }
    }

    public sealed record ExecutionParameters
    {
        public IReadOnlyList<string>? Entrypoint { get; init; }

        public IReadOnlyList<string>? Cmd { get; init; }

        /// <summary><c>NAME=value</c>; PATH is where a command without a slash is looked for.</summary>
        public IReadOnlyList<string>? Env { get; init; }

        public string? WorkingDir { get; init; }
    }
}
