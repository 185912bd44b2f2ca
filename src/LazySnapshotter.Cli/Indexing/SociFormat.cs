using System.Diagnostics;
using LazySnapshotter.Artifacts.Layouts;
using LazySnapshotter.Cli.Inspection;
using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Indexing;

/// <summary>soci's zTOCs and index manifests, in an OCI layout that any tool can push.</summary>
/// <param name="layerLengthMin">Smaller layers (compressed) get no zTOC: soci unpacks them.</param>
/// <param name="disablesXattrs">Marks layers that have no extended attributes, as `soci create --optimizations xattr` does.</param>
internal sealed class SociFormat(string directory, ZtocOptions options, long layerLengthMin, bool disablesXattrs) : IIndexFormat
{
    public const string FormatName = "soci";

    private readonly SociIndexLayout _layout = SociIndexLayout.Open(directory);

    public string Name => FormatName;

    public LayerResult? Skip(Descriptor layer)
    {
        var result = new LayerResult { Layer = layer.Digest, State = IndexingState.Skipped, Format = Name, CompressedLength = layer.Size };
        return layer.Size < layerLengthMin
            ? result with { Reason = $"{ByteSize.Format(layer.Size)} is less than {ByteSize.Format(layerLengthMin)}" }
            : null;
    }

    public async Task<LayerResult> BuildAsync(Descriptor layer, Stream blob, IProgress<long> progress, CancellationToken cancellationToken)
    {
        using var scratch = new ScratchFile();
        var (result, ztoc) = await BuildZtocAsync(
            blob, scratch.Path, options with { ExpectedDigest = layer.Digest, Progress = progress }, cancellationToken);
        var descriptor = new Descriptor { MediaType = "application/octet-stream", Digest = ztoc.Digest, Size = ztoc.Length };
        return result with { Path = await _layout.AddZtocAsync(
            layer, descriptor, options.SpanLength, disablesXattrs && !ztoc.NeedsXattrs, scratch.Path, cancellationToken) };
    }

    public async Task<string?> CompleteAsync(
        FoundImage image, IReadOnlyDictionary<Digest, LayerResult> layers, CancellationToken cancellationToken)
    {
        if (image.Image.Manifest is not { } manifest)
            return $"{image.Name}: no index manifest, this source does not have the image's own manifest";
        var made = await _layout.AddIndexAsync(manifest, image.Image.Platform, image.Image.Layers, options.BuildTool, cancellationToken);
        return made is null
            ? $"{image.Name}: no layer has a zTOC, so there is no index manifest"
            : $"{image.Name}: index manifest {made.Digest} for {manifest.Digest} in {directory}";
    }

    public static async Task<LayerResult> BuildAsync(Stream blob, string path, ZtocOptions options, CancellationToken cancellationToken) =>
        (await BuildZtocAsync(blob, path, options, cancellationToken)).Result;

    private static async Task<(LayerResult Result, ZtocBuildResult Ztoc)> BuildZtocAsync(
        Stream blob, string path, ZtocOptions options, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        ZtocBuildResult built;
        var temporary = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            await using (var output = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
                built = await ZtocBuilder.BuildAsync(blob, output, options, cancellationToken);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }

        var result = new LayerResult
        {
            Layer = built.LayerDigest,
            State = IndexingState.Built,
            Format = FormatName,
            Path = path,
            CompressedLength = built.CompressedLength,
            UncompressedLength = built.UncompressedLength,
            IndexLength = built.Length,
            Spans = built.SpanCount,
            Entries = built.EntryCount,
            Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
        };
        return (result, built);
    }
}
