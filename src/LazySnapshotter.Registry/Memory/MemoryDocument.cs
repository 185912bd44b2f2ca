using System.Text.Json.Serialization;

namespace LazySnapshotter.Registry.Memory;

// What lies in the file, kind by kind, the most recently used first (docs/FORMATS.md).
/// <param name="LoginKey">Of the marks by which tokens know whose they are. Random, made with the file.</param>
internal sealed record MemoryDocument(
    [property: JsonRequired] byte[] LoginKey,
    IReadOnlyList<RememberedChallenge?>? Challenges,
    IReadOnlyList<RememberedToken?>? Tokens,
    IReadOnlyList<RememberedLocation?>? Locations,
    IReadOnlyList<RememberedTag?>? Tags,
    IReadOnlyList<RememberedGap?>? Gaps)
{
    public MemoryDocument Halved() => this with
    {
        Challenges = Half(Challenges),
        Tokens = Half(Tokens),
        Locations = Half(Locations),
        Tags = Half(Tags),
        Gaps = Half(Gaps),
    };

    public override string ToString() => "registry memory"; // Full of secrets.

    private static List<T>? Half<T>(IReadOnlyList<T>? list) => list?.Take(list.Count / 2).ToList();
}

/// <summary>The first line of the file: what it is, and the digest of the second, which is the document.</summary>
internal sealed record MemoryHeader(
    [property: JsonRequired] string Format, [property: JsonRequired] int Version, [property: JsonRequired] string Sha256);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, IgnoreReadOnlyProperties = true, MaxDepth = 8)]
[JsonSerializable(typeof(MemoryDocument))]
[JsonSerializable(typeof(MemoryHeader))]
internal sealed partial class MemoryJsonContext : JsonSerializerContext;
