using System.Text.Json.Serialization;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Inspection;

// What commands write with --json: one object on a line, absent fields left out. Names are promises to scripts.
[JsonSourceGenerationOptions(
    Converters = [typeof(DigestJsonConverter)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LayerResult))]
[JsonSerializable(typeof(IndexFacts))]
[JsonSerializable(typeof(ImageFacts))]
[JsonSerializable(typeof(VerifyResult))]
internal sealed partial class CliJsonContext : JsonSerializerContext;
