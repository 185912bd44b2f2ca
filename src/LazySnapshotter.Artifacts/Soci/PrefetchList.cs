using System.Text.Json;
using System.Text.Json.Serialization;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Artifacts.Soci;

// soci's prefetch artifact: ranges of spans a container will want first, both ends included (soci/prefetch.go, version
// "1.0"). Members that are not known are ignored, as soci does; those that are known must make sense.
internal static class PrefetchList
{
    private const string Version = "1.0";

    /// <summary>The spans in the order they are wanted, none twice.</summary>
    /// <param name="spanCount">Spans the layer has.</param>
    /// <exception cref="InvalidDataException">Not such a list, or it names spans the layer does not have.</exception>
    public static IReadOnlyList<SpanRangeToWarm> Parse(ReadOnlySpan<byte> json, int spanCount)
    {
        var document = Read(json);
        if (document.Version != Version)
            throw new InvalidDataException($"prefetch list: version \"{document.Version}\" is not known here, only \"{Version}\" is");
        if (document.Spans.Count is 0 or > ArtifactLimits.PrefetchRangesMax)
            throw new InvalidDataException($"prefetch list: {document.Spans.Count} ranges; 1 to {ArtifactLimits.PrefetchRangesMax} may be");
        for (var i = 0; i < document.Spans.Count; i++)
        {
            if (document.Spans[i] is not { } range || range.Start < 0 || range.End < range.Start || range.End >= spanCount)
            {
                throw new InvalidDataException(
                    $"prefetch list, range {i}: spans {document.Spans[i]?.Start} to {document.Spans[i]?.End} of a layer that " +
                        $"has {spanCount}");
            }
        }

        return WithoutRepetition(document.Spans.OrderBy(range => range.Priority), spanCount);
    }

    private static PrefetchDocument Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, PrefetchJsonContext.Default.PrefetchDocument)
                ?? throw new InvalidDataException("prefetch list: null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"prefetch list: {e.Message}", e);
        }
    }

    // Ranges may overlap as they like: taken[i] leads towards the first span from i on that nobody has named yet, so that
    // each span is passed once whatever the ranges are.
    private static List<SpanRangeToWarm> WithoutRepetition(IEnumerable<PrefetchRange> ranges, int spanCount)
    {
        var free = new int[spanCount + 1];
        for (var i = 0; i < free.Length; i++)
            free[i] = i;

        var wanted = new List<SpanRangeToWarm>();
        foreach (var range in ranges)
        {
            for (var first = FirstFree(free, range.Start); first <= range.End; first = FirstFree(free, first))
            {
                var last = first;
                for (; last <= range.End && free[last] == last; last++)
                    free[last] = last + 1;
                wanted.Add(new SpanRangeToWarm(new SpanId(first), new SpanId(last - 1)));
            }
        }

        return wanted;
    }

    private static int FirstFree(int[] free, int span)
    {
        while (free[span] != span)
        {
            free[span] = free[free[span]];
            span = free[span];
        }

        return span;
    }
}

internal sealed record PrefetchDocument(
    [property: JsonPropertyName("version"), JsonRequired] string Version,
    [property: JsonPropertyName("prefetch_spans"), JsonRequired] IReadOnlyList<PrefetchRange> Spans);

internal sealed record PrefetchRange(
    [property: JsonPropertyName("start_span"), JsonRequired] int Start,
    [property: JsonPropertyName("end_span"), JsonRequired] int End,
    [property: JsonPropertyName("priority")] int Priority);

[JsonSourceGenerationOptions(RespectNullableAnnotations = true)]
[JsonSerializable(typeof(PrefetchDocument))]
internal sealed partial class PrefetchJsonContext : JsonSerializerContext;
