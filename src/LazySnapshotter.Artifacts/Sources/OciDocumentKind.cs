using System.Text.Json;

namespace LazySnapshotter.Artifacts.Sources;

// Tells an index from a manifest where no descriptor does: by the field only one of them has.
internal static class OciDocumentKind
{
    public static bool IsIndex(byte[] content, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("manifests", out _);
        }
        // The latter: a name with half a character.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{what}: neither a manifest nor an index: {exception.Message}", exception);
        }
    }
}
