using System.Text.Json;
using System.Text.Json.Serialization;

namespace LazySnapshotter.Oci;

// Digests travel as strings in every OCI document; one that does not parse is a document error.
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.GetString(), out var digest)
            ? digest
            : throw new JsonException($"\"{reader.GetString()}\" is not a sha256 or sha512 digest");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
