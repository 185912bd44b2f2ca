using System.Text.Json;
using LazySnapshotter.Oci;

namespace LazySnapshotter.TestSupport.Registry;

// What the referrers API says of a manifest, read without the code under test.
internal static class TestManifestJson
{
    /// <returns>Null where it has no subject.</returns>
    public static (Digest Subject, Descriptor Entry)? ReferrerOf(TestManifest manifest)
    {
        using var json = JsonDocument.Parse(manifest.Content);
        var root = json.RootElement;
        if (!root.TryGetProperty("subject", out var subject) || subject.ValueKind != JsonValueKind.Object)
            return null;
        var type = root.TryGetProperty("artifactType", out var own) ? own.GetString()
            : root.TryGetProperty("config", out var config) ? config.GetProperty("mediaType").GetString() : null;
        var annotations = root.TryGetProperty("annotations", out var there)
            ? there.EnumerateObject().ToDictionary(a => a.Name, a => a.Value.GetString() ?? "")
            : null;
        return (Digest.Parse(subject.GetProperty("digest").GetString()!), new Descriptor
        {
            MediaType = manifest.MediaType,
            Digest = manifest.Digest,
            Size = manifest.Content.Length,
            ArtifactType = type,
            Annotations = annotations,
        });
    }
}
