using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace LazySnapshotter.Oci;

// Reads the documents this project understands, without reflection (AOT). Documents come from a registry: the caller
// bounds their size and checks their digest first; here only the structure is judged.
public static class OciJson
{
    /// <exception cref="InvalidDataException">Not such a document; <paramref name="what"/> names it in the message.</exception>
    public static ImageManifest ReadManifest(ReadOnlySpan<byte> json, string what) => Read(json, OciJsonContext.Default.ImageManifest, what);

    /// <inheritdoc cref="ReadManifest"/>
    public static ImageIndex ReadIndex(ReadOnlySpan<byte> json, string what) => Read(json, OciJsonContext.Default.ImageIndex, what);

    /// <inheritdoc cref="ReadManifest"/>
    public static ImageConfig ReadConfig(ReadOnlySpan<byte> json, string what) => Read(json, OciJsonContext.Default.ImageConfig, what);

    private static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new InvalidDataException($"{what}: the document is null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{what}: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(Converters = [typeof(DigestJsonConverter)], RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageConfig))]
internal sealed partial class OciJsonContext : JsonSerializerContext;
