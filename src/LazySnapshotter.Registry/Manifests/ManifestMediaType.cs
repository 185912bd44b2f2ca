using System.Text.Json;
using System.Text.Json.Serialization;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Requests;

namespace LazySnapshotter.Registry.Manifests;

// What a document is: the header says so, and the document itself may. If one says manifest and the other index nobody
// decides for them: one document read as two things is how an image comes to differ from what was signed (CVE-2021-41190).
// Docker's and OCI's manifests are one thing under two names.
internal static class ManifestMediaType
{
    private const string OldDockerManifest = "application/vnd.docker.distribution.manifest.v1+json";

    /// <exception cref="RegistryException">Neither an image manifest nor an index, or both at once.</exception>
    public static string Of(RegistryDocument document, RequestSubject subject)
    {
        var declared = Declared(document, subject);
        var own = string.IsNullOrEmpty(declared.MediaType) ? null : declared.MediaType;
        var header = IsKnown(document.MediaType) ? document.MediaType : null;
        if (header is not null && IsKnown(own) && MediaTypes.IsIndex(header) != MediaTypes.IsIndex(own!))
            throw subject.Error(RegistryFailure.Protocol, document.Hop.Host, $"its Content-Type is {header}, the document says {own}");
        if (declared.Layers is not null && declared.Manifests is not null)
            throw subject.Error(RegistryFailure.Protocol, document.Hop.Host, "the document is manifest and index at once");

        var mediaType = header
            ?? own ?? (declared.Manifests is not null ? MediaTypes.OciIndex : declared.Layers is not null ? MediaTypes.OciManifest : null);
        return IsKnown(mediaType)
            ? mediaType!
            : throw Unknown(document, subject, mediaType ?? (declared.FsLayers is null ? null : OldDockerManifest));
    }

    private static MediaTypeProbe Declared(RegistryDocument document, RequestSubject subject)
    {
        try
        {
            return JsonSerializer.Deserialize(document.Content, MediaTypeJsonContext.Default.MediaTypeProbe)
                ?? throw Unknown(document, subject, null);
        }
        catch (JsonException)
        {
            throw Unknown(document, subject, null);
        }
    }

    private static bool IsKnown(string? mediaType) =>
        mediaType is not null && (MediaTypes.IsIndex(mediaType) || MediaTypes.IsManifest(mediaType));

    private static RegistryException Unknown(RegistryDocument document, RequestSubject subject, string? mediaType) => subject.Error(
        RegistryFailure.Protocol, document.Hop.Host, ArtifactKind.OfDocument(mediaType ?? document.MediaType) is { } kind
            ? $"this is {kind}"
            : $"the answer ({mediaType ?? document.MediaType ?? "no media type"}) is neither an image manifest nor an index");
}

internal sealed record MediaTypeProbe(
    [property: JsonPropertyName("mediaType")] string? MediaType,
    [property: JsonPropertyName("layers")] JsonElement? Layers,
    [property: JsonPropertyName("manifests")] JsonElement? Manifests,
    [property: JsonPropertyName("fsLayers")] JsonElement? FsLayers);

/// <summary>The digest of a manifest's subject, before anything else in the manifest is judged.</summary>
internal sealed record SubjectProbe([property: JsonPropertyName("subject")] SubjectDigest? Subject);

internal sealed record SubjectDigest([property: JsonPropertyName("digest")] string? Digest);

// As Go reads a struct, and OciJson the document: a member is found whatever the case of its name.
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(MediaTypeProbe))]
[JsonSerializable(typeof(SubjectProbe))]
internal sealed partial class MediaTypeJsonContext : JsonSerializerContext;
