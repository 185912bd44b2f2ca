using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace LazySnapshotter.Oci;

// Reads and writes the documents this project understands, without reflection (AOT). Documents that are read come from a
// registry: the caller bounds their size and checks their digest first; here only the structure is judged. Documents are
// written byte for byte as Go's tools write them, so that the same content has the same digest whoever made it.
public static class OciJson
{
    /// <exception cref="InvalidDataException">Not such a document; <paramref name="what"/> names it in the message.</exception>
    public static ImageManifest ReadManifest(ReadOnlySpan<byte> json, string what)
    {
        var manifest = Read(json, OciJsonContext.Default.ImageManifest, what);
        Check(manifest.Config, $"{what}: config");
        CheckAll(manifest.Layers, $"{what}: layer");
        if (manifest.Subject is not null)
            Check(manifest.Subject, $"{what}: subject");
        return manifest;
    }

    /// <inheritdoc cref="ReadManifest"/>
    public static ImageIndex ReadIndex(ReadOnlySpan<byte> json, string what)
    {
        var index = Read(json, OciJsonContext.Default.ImageIndex, what);
        CheckAll(index.Manifests, $"{what}: manifest");
        if (index.Subject is not null)
            Check(index.Subject, $"{what}: subject");
        return index;
    }

    /// <inheritdoc cref="ReadManifest"/>
    public static ImageConfig ReadConfig(ReadOnlySpan<byte> json, string what) => Read(json, OciJsonContext.Default.ImageConfig, what);

    public static byte[] WriteManifest(ImageManifest manifest) => GoDocument.Of(manifest);

    public static byte[] WriteIndex(ImageIndex index) => GoDocument.Of(index);

    private static void CheckAll(IReadOnlyList<Descriptor> descriptors, string what)
    {
        for (var i = 0; i < descriptors.Count; i++)
            Check(descriptors[i], $"{what} {i}");
    }

    // What a serializer does not see: elements that are null, and numbers that mean nothing.
    private static void Check(Descriptor? descriptor, string what)
    {
        if (descriptor is null)
            throw new InvalidDataException($"{what}: the descriptor is null");
        if (descriptor.MediaType.Length == 0)
            throw new InvalidDataException($"{what}: the descriptor has no media type");
        if (descriptor.Size < 0)
            throw new InvalidDataException($"{what}: the descriptor's size is {descriptor.Size}");
    }

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
