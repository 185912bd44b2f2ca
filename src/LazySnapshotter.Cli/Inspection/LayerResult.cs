using System.Globalization;
using System.Text.Json.Serialization;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Inspection;

/// <summary>How indexing a layer ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<IndexingState>))]
internal enum IndexingState
{
    [JsonStringEnumMemberName("built")]
    Built,

    /// <summary>Its index was there.</summary>
    [JsonStringEnumMemberName("present")]
    Present,

    /// <summary>Below the size from which an index is worth it (soci).</summary>
    [JsonStringEnumMemberName("skipped")]
    Skipped,

    [JsonStringEnumMemberName("failed")]
    Failed,
}

// What `index build` says of one layer: a line for a person, or an object for a script.
internal sealed record LayerResult
{
    [JsonPropertyName("layer")]
    public Digest? Layer { get; init; }

    [JsonPropertyName("state")]
    public required IndexingState State { get; init; }

    [JsonPropertyName("format")]
    public required string Format { get; init; }

    [JsonPropertyName("diffId")]
    public Digest? DiffId { get; init; }

    /// <summary>The index file.</summary>
    [JsonPropertyName("path")]
    public string? Path { get; init; }

    [JsonPropertyName("compressedLength")]
    public long? CompressedLength { get; init; }

    [JsonPropertyName("uncompressedLength")]
    public long? UncompressedLength { get; init; }

    [JsonPropertyName("indexLength")]
    public long? IndexLength { get; init; }

    [JsonPropertyName("spans")]
    public int? Spans { get; init; }

    [JsonPropertyName("entries")]
    public int? Entries { get; init; }

    [JsonPropertyName("seconds")]
    public double? Seconds { get; init; }

    [JsonPropertyName("images")]
    public IReadOnlyList<string>? Images { get; init; }

    /// <summary>Why it was skipped or failed.</summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; init; }

    public string Describe() => State switch
    {
        IndexingState.Built => string.Create(
            CultureInfo.InvariantCulture,
            $"{Layer}: {Entries} entries, {Spans} spans, {ByteSize.Format(IndexLength!.Value)} " +
                $"for {ByteSize.Format(CompressedLength!.Value)} ({100.0 * IndexLength.Value / CompressedLength.Value:0.00} %) in {Path}"),
        IndexingState.Present => $"{Layer}: indexed before, {Path}",
        IndexingState.Skipped => $"{Layer}: no index, {Reason}",
        _ => $"{Layer}: failed: {Reason}",
    };
}
