using System.Diagnostics;
using LazySnapshotter.Cli.Inspection;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Indexing;

/// <summary>Index files of our own, in an index store: this node's, or one below a directory.</summary>
internal sealed class NativeFormat(LayerIndexStore store, LayerIndexOptions options) : IIndexFormat
{
    public const string FormatName = "native";

    public string Name => FormatName;

    public LayerResult? Skip(Descriptor layer)
    {
        // A damaged file is moved aside here, or replaced later, and the layer indexed anew.
        using var index = store.TryOpenFor(layer.Digest, repository: null, out _);
        return index is null || !IsWhole(index) ? null : new LayerResult
        {
            Layer = layer.Digest,
            State = IndexingState.Present,
            Format = Name,
            DiffId = index.DiffId,
            Path = store.PathOf(layer.Digest, index.Id),
            CompressedLength = index.Spans.CompressedLength,
            UncompressedLength = index.Spans.UncompressedLength,
            IndexLength = index.FileLength,
            Spans = index.Spans.Count,
            Entries = index.Toc.Count,
        };
    }

    public Task<LayerResult> BuildAsync(Descriptor layer, Stream blob, IProgress<long> progress, CancellationToken cancellationToken) =>
        BuildAsync(blob, store, options with { ExpectedDigest = layer.Digest, Progress = progress }, cancellationToken);

    public Task<string?> CompleteAsync(
        FoundImage image, IReadOnlyDictionary<Digest, LayerResult> layers, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(null);

    public static async Task<LayerResult> BuildAsync(
        Stream blob, LayerIndexStore store, LayerIndexOptions options, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var built = await store.BuildFileAsync(blob, options, cancellationToken);
        return ResultOf(built, store.PathOf(built.LayerDigest, built.IndexId), Stopwatch.GetElapsedTime(started));
    }

    public static async Task<LayerResult> BuildAsync(
        Stream blob, string path, LayerIndexOptions options, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var built = await LayerIndexBuilder.BuildAsync(blob, path, options, cancellationToken);
        return ResultOf(built, path, Stopwatch.GetElapsedTime(started));
    }

    private static LayerResult ResultOf(LayerIndexBuildResult built, string path, TimeSpan elapsed) => new()
    {
        Layer = built.LayerDigest,
        State = IndexingState.Built,
        Format = FormatName,
        DiffId = built.DiffId,
        Path = path,
        CompressedLength = built.CompressedLength,
        UncompressedLength = built.UncompressedLength,
        IndexLength = built.IndexLength,
        Spans = built.SpanCount,
        Entries = built.EntryCount,
        Seconds = elapsed.TotalSeconds,
    };

    private static bool IsWhole(LayerIndex index)
    {
        try
        {
            index.VerifyWindows();
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
