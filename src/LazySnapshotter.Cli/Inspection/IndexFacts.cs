using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Inspection;

/// <summary>What a person wants to know of one index. The property names are those of <c>index show --json</c>.</summary>
internal sealed record IndexFacts
{
    public required string Path { get; init; }

    /// <summary><c>native</c> or <c>soci</c>.</summary>
    public required string Format { get; init; }

    /// <summary>Null for a zTOC, which does not say.</summary>
    public Digest? Layer { get; init; }

    public Digest? DiffId { get; init; }

    /// <summary>Identity of an index file of ours.</summary>
    public string? IndexId { get; init; }

    public string? BuildTool { get; init; }

    public required string Compression { get; init; }

    public required long CompressedLength { get; init; }

    public required long UncompressedLength { get; init; }

    public required long IndexLength { get; init; }

    /// <summary>Index length over compressed length.</summary>
    public required double Share { get; init; }

    public required IReadOnlyDictionary<string, long> Parts { get; init; }

    /// <summary>How many entries of each type.</summary>
    public required IReadOnlyDictionary<string, int> Entries { get; init; }

    public required int ImplicitDirectories { get; init; }

    /// <summary>Length of all files together.</summary>
    public required long ContentLength { get; init; }

    public required int Spans { get; init; }

    /// <summary>Places at which inflating can begin; the other spans go on from the one before.</summary>
    public required int Checkpoints { get; init; }

    public required long MeanSpanLength { get; init; }

    public required long LargestSpanLength { get; init; }

    public required long LargestSpanUncompressedLength { get; init; }

    /// <summary>Bytes fetched for the first 4 KiB of a file.</summary>
    public required ReadCosts FirstRead { get; init; }

    /// <summary>Bytes fetched for a whole file.</summary>
    public required ReadCosts WholeRead { get; init; }

    public static IndexFacts Of(IndexFile file)
    {
        var index = file.Index;
        var types = new SortedDictionary<string, int>(StringComparer.Ordinal);
        long content = 0;
        for (var entry = 0; entry < index.Toc.Count; entry++)
        {
            var attributes = index.Toc[entry];
            var type = attributes.IsWhiteout ? "whiteout" : NameOf(attributes.Type);
            types[type] = types.GetValueOrDefault(type) + 1;
            content += attributes.Type == TocEntryType.File ? attributes.Size : 0;
        }

        var spans = Enumerable.Range(0, index.Spans.Count).Select(span => index.Spans[new SpanId(span)]).ToList();
        var indexLength = file.Ztoc is null ? index.FileLength : new FileInfo(file.Path).Length;
        return new IndexFacts
        {
            Path = file.Path,
            Format = file.Ztoc is null ? "native" : "soci",
            Layer = file.Ztoc is null ? index.LayerDigest : null,
            DiffId = index.DiffId,
            IndexId = file.Ztoc is null ? index.Id : null,
            BuildTool = file.Ztoc?.BuildTool,
            Compression = index.Compression.ToString().ToLowerInvariant(),
            CompressedLength = index.Spans.CompressedLength,
            UncompressedLength = file.Ztoc?.UncompressedLength ?? index.Spans.UncompressedLength,
            IndexLength = indexLength,
            Share = (double)indexLength / Math.Max(1, index.Spans.CompressedLength),
            Parts = file.Ztoc is { } ztoc ? PartsOf(ztoc, indexLength) : PartsOf(index),
            Entries = types,
            ImplicitDirectories = index.Toc.ImplicitDirectories.Count,
            ContentLength = content,
            Spans = spans.Count,
            Checkpoints = spans.Count(span => !index.Spans.IsContinued(span.Id)),
            MeanSpanLength = index.Spans.CompressedLength / spans.Count,
            LargestSpanLength = spans.Max(span => span.CompressedLength),
            LargestSpanUncompressedLength = spans.Max(span => span.UncompressedLength),
            FirstRead = ReadCosts.Of(index, ReadCosts.FirstReadLength),
            WholeRead = ReadCosts.Of(index, long.MaxValue),
        };
    }

    private static string NameOf(TocEntryType type) => type switch
    {
        TocEntryType.Directory => "directory",
        TocEntryType.File => "file",
        TocEntryType.SymbolicLink => "symlink",
        TocEntryType.CharacterDevice => "char device",
        TocEntryType.BlockDevice => "block device",
        _ => "fifo",
    };

    // The span section is offsets and checksums; these do not compress, so what they take is known.
    private static Dictionary<string, long> PartsOf(LayerIndex index)
    {
        const int DigestLength = 32;
        const int WindowChecksumLength = 16;
        var windows = Enumerable.Range(0, index.Spans.Count).Count(span => index.WindowLengthOf(new SpanId(span)) > 0);
        var digests = Math.Min(index.Parts.Spans, ((long)DigestLength * index.Spans.Count) + ((long)WindowChecksumLength * windows));
        return new Dictionary<string, long>
        {
            ["header"] = index.Parts.Header,
            ["TOC"] = index.Parts.Toc,
            ["spans"] = index.Parts.Spans - digests,
            ["digests"] = digests,
            ["windows"] = index.Parts.Windows,
            ["footer"] = index.Parts.Footer,
        };
    }

    // By the sizes of its tables' fields (zinfo's checkpoints, FlatBuffers' strings); the TOC is what remains.
    private static Dictionary<string, long> PartsOf(Ztoc ztoc, long length)
    {
        const int WindowLength = 32 * 1024;
        const int CheckpointLength = 8 + 8 + 1;
        const int DigestLength = 4 + 4 + 72; // offset in the vector, length, "sha256:<hex>" with its NUL
        var isGzip = ztoc.Compression == LayerCompression.Gzip;
        var windows = isGzip ? (long)WindowLength * ztoc.SpanCount : 0;
        var spans = isGzip ? (long)CheckpointLength * ztoc.SpanCount : 0;
        var digests = (long)DigestLength * ztoc.SpanCount;
        return new Dictionary<string,
            long> { ["TOC"] = length - windows - spans - digests, ["spans"] = spans, ["digests"] = digests, ["windows"] = windows };
    }
}
