using System.CommandLine;
using System.Text.Json;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Cli.Inspection;
using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Verify;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index verify FILE --blob FILE|SOURCE`: proves every span and every file of an index against the layer. Exit
// code 1 when they do not agree; the first difference of each kind is told.
internal sealed class IndexVerifyCommand
{
    // Longer than gzip headers are: what an early zTOC lacks is where the first block starts.
    private const int BlobStartLength = 4096;

    private readonly Argument<string> _index = new(
        "INDEX") { Description = "An index file (ours, or a zTOC), or the digest of a layer that this node has an index of" };
    private readonly Option<string> _blob = new("--blob") { Description = $"The layer: a file, - for standard input, or an image that " +
        $"has it: {SourceOptions.Forms}", HelpName = "FILE|SOURCE", Required = true };
    private readonly Option<bool> _json = new("--json") { Description = "The result as one JSON object" };
    private readonly Option<string?> _root = RootOption.Create();
    private readonly SourceOptions _from = new();

    private IndexVerifyCommand()
    {
    }

    public static Command Create()
    {
        var self = new IndexVerifyCommand();
        var command = new Command("verify", "Prove an index against its layer: every span, every checkpoint, every entry") { self._index,
            self._blob, self._json, self._root };
        self._from.AddTo(command);
        command.SetAction(self.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var blobName = parsed.GetRequiredValue(_blob);
        if (blobName == "-")
            return await VerifyAsync(parsed, Console.OpenStandardInput(), null, null, cancellationToken);
        if (File.Exists(blobName))
            return await VerifyAsync(parsed, File.OpenRead(blobName), new FileInfo(blobName).Length, null, cancellationToken);

        if (Directory.Exists(blobName))
        {
            throw new CommandException(
                $"{blobName}: it is a directory; --blob takes a layer's file, or an image (oci:{blobName} for a layout)");
        }

        await using var sources = await OpenedSources.OpenAsync([blobName], _from, parsed, loggers);
        var (source, layer) = await FindLayerAsync(parsed, sources.All[0], cancellationToken);
        return await VerifyAsync(parsed, await source.OpenLayer(layer)
            .OpenAsync(ReadPriority.Demanded(), cancellationToken), layer.Size, layer.Digest, cancellationToken);
    }

    private async Task<int> VerifyAsync(ParseResult parsed, Stream opened, long? length, Digest? layer, CancellationToken cancellationToken)
    {
        await using var blob = new ReplayedStream(opened);
        var start = await blob.PeekAsync(BlobStartLength, cancellationToken);
        using var file = IndexFile.Open(parsed.GetRequiredValue(_index), () => parsed.RootOf(_root), layer, start);
        var report = await BuildDisplay.ShowAsync(async progress =>
        {
            progress.Expect(length ?? 0);
            using var shown = progress.Start("verifying", length);
            var options = new IndexVerificationOptions { TarPaddingIsOptional = file.Ztoc is not null,
                LayerIsUnknown = file.Ztoc is not null && layer is null, Progress = shown };
            return await IndexVerifier.VerifyAsync(file.Index, blob, options, cancellationToken);
        });

        if (parsed.GetValue(_json))
            Console.WriteLine(JsonSerializer.Serialize(new VerifyResult(
                file.Path, parsed.GetRequiredValue(_blob), report.IsSound, report.Checks), CliJsonContext.Default.VerifyResult));
        else
            Write(report);
        // The node's own: from now on it counts for every image that has the layer.
        if (report.IsSound && Digest.TryParse(parsed.GetRequiredValue(_index), out var indexed))
            new LayerIndexStore(parsed.RootOf(_root)).SetVerified(indexed, file.Index.Id);
        if (!report.IsSound)
            await Console.Error.WriteLineAsync($"lazysnap: {file.Path} is not the index of {parsed.GetRequiredValue(_blob)}");
        return report.IsSound ? 0 : Failure.ExitCode;
    }

    private async Task<(IImageSource Source, Descriptor Layer)> FindLayerAsync(
        ParseResult parsed, IImageSource source, CancellationToken cancellationToken)
    {
        // A layer says itself which image of an index it belongs to, unless a platform was named.
        var platforms = _from.Platforms(parsed) is { IsExplicit: true } named ? named : PlatformSelection.All;
        var layers = (await source.FindImagesAsync(platforms, cancellationToken))
            .SelectMany(image => image.Layers).DistinctBy(layer => layer.Digest).ToList();
        using var file = IndexFile.Open(parsed.GetRequiredValue(_index), () => parsed.RootOf(_root));
        // A zTOC does not say whose it is; the length nearly always does.
        var fitting = layers.Where(
            layer => file.Ztoc is null ? layer.Digest == file.Index.LayerDigest : layer.Size == file.Ztoc.CompressedLength).ToList();
        return fitting switch
        {
            [var layer] => (source, layer),
            [] => throw new CommandException(
                $"{source.Name} has no layer {(file.Ztoc is null ? file.Index.LayerDigest : $"of {file.Ztoc.CompressedLength} bytes")}"),
            _ => throw new CommandException(
                $"{source.Name} has several layers of {file.Ztoc!.CompressedLength} bytes; give the right one as a file"),
        };
    }

    private static void Write(IndexVerificationReport report)
    {
        foreach (var check in report.Checks)
        {
            Console.WriteLine($"{check.Name,-20} " + (check.DifferenceCount == 0
                ? $"ok, {check.Compared} compared"
                : $"{check.DifferenceCount} of {check.Compared} differ"));
            if (check.First is { } first)
                Console.WriteLine($"{"",-20} first: {first.What}");
        }
    }
}
