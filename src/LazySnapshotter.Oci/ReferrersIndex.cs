using System.Text;
using System.Text.Json;

namespace LazySnapshotter.Oci;

// The list of referrers that clients keep under a tag where a registry keeps none (distribution-spec, "Referrers Tag
// Schema"): an image index with an entry per referrer. It belongs to every tool that writes to it, so an edit touches one
// entry and leaves all other bytes as they were: fields we do not know, their order, their spelling.
public static class ReferrersIndex
{
    private const int TagPartCharsMax = 64;

    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false };

    /// <summary>The tag under which the referrers of a manifest are listed.</summary>
    public static string TagOf(Digest subject) => subject.Algorithm + "-" + subject.Hex[..Math.Min(subject.Hex.Length, TagPartCharsMax)];

    /// <summary>The entry for a manifest among the referrers of its subject, as a registry with the referrers API makes it.</summary>
    /// <exception cref="InvalidDataException">It has no subject, or is no such document.</exception>
    public static (Digest Subject, Descriptor Entry) EntryOf(string mediaType, ReadOnlySpan<byte> manifest, string what)
    {
        var entry = new Descriptor { MediaType = mediaType, Digest = Digest.OfSha256(manifest), Size = manifest.Length };
        Descriptor? subject;
        if (MediaTypes.IsIndex(mediaType))
        {
            var index = OciJson.ReadIndex(manifest, what);
            subject = index.Subject;
            entry = entry with { ArtifactType = index.ArtifactType, Annotations = index.Annotations };
        }
        else
        {
            var image = OciJson.ReadManifest(manifest, what);
            subject = image.Subject;
            var type = string.IsNullOrEmpty(image.ArtifactType) ? image.Config.MediaType : image.ArtifactType;
            entry = entry with { ArtifactType = type, Annotations = image.Annotations };
        }

        return subject is null
            ? throw new InvalidDataException($"{what}: it has no subject, so it refers to nothing")
            : (subject.Digest, entry);
    }

    /// <summary>A list with nothing in it but what is added.</summary>
    public static byte[] Empty { get; } = OciJson.WriteIndex(new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [] });

    /// <returns>The new list, or null where the entry is there already.</returns>
    /// <exception cref="InvalidDataException">The list is none; <paramref name="what"/> names it in the message.</exception>
    public static byte[]? Add(ReadOnlyMemory<byte> index, Descriptor entry, string what)
    {
        return Edit(index, what, (document, entries) => entries.Any(e => IsFor(e, entry.Digest))
            ? null
            : Rebuild(document, [.. entries.Select(Raw), Encoding.UTF8.GetString(GoDocument.Of(entry))]));
    }

    /// <returns>The new list, or null where no entry is for that manifest.</returns>
    /// <exception cref="InvalidDataException">The list is none; <paramref name="what"/> names it in the message.</exception>
    public static byte[]? Remove(ReadOnlyMemory<byte> index, Digest referrer, string what, out bool isEmpty)
    {
        var restCount = 0;
        var edited = Edit(index, what, (document, entries) =>
        {
            var rest = entries.Where(e => !IsFor(e, referrer)).ToList();
            restCount = rest.Count;
            return rest.Count == entries.Count ? null : Rebuild(document, [.. rest.Select(Raw)]);
        });
        isEmpty = restCount == 0;
        return edited;
    }

    private static byte[]? Edit(ReadOnlyMemory<byte> index, string what, Func<JsonDocument, List<JsonElement>, byte[]?> edit)
    {
        try
        {
            using var document = JsonDocument.Parse(index, _strict);
            return edit(document, Entries(document, what));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter: text that is not UTF-8, half a character.
        {
            throw new InvalidDataException($"{what}: {e.Message}", e);
        }
    }

    private static List<JsonElement> Entries(JsonDocument document, string what)
    {
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("manifests", out var manifests))
            throw new InvalidDataException($"{what}: not an image index");
        return manifests.ValueKind switch
        {
            JsonValueKind.Array => [.. manifests.EnumerateArray()],
            JsonValueKind.Null => [], // Go writes a list that was never filled so.
            _ => throw new InvalidDataException($"{what}: its manifests are no list"),
        };
    }

    private static bool IsFor(JsonElement entry, Digest digest) =>
        entry.ValueKind == JsonValueKind.Object
        && entry.TryGetProperty("digest", out var value)
        && value.ValueKind == JsonValueKind.String
        && value.ValueEquals(digest.ToString());

    // What is not the list of entries, and each entry that stays, is the text it was.
    private static byte[] Rebuild(JsonDocument document, IReadOnlyList<string> entries)
    {
        var members = document.RootElement.EnumerateObject().Select(member =>
            RawName(member.Name) + ":" + (member.NameEquals("manifests") ? "[" + string.Join(',', entries) + "]" : Raw(member.Value)));
        return Encoding.UTF8.GetBytes("{" + string.Join(',', members) + "}");
    }

    private static string Raw(JsonElement element) => element.GetRawText();

    private static string RawName(string name)
    {
        var json = new GoJson();
        json.Text(name);
        return Encoding.UTF8.GetString(json.ToArray());
    }
}
