using System.Text;

namespace LazySnapshotter.Fuzz.Targets;

// Seeds that are text.
internal static class SampleText
{
    public const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    public static IReadOnlyList<byte[]> Seeds(params IEnumerable<string> texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    /// <summary>A descriptor in JSON.</summary>
    public static string Descriptor(string mediaType, string more = "") =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{Digest}}","size":2{{more}}}""";
}
