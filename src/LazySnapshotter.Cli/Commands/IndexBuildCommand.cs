using System.CommandLine;
using System.CommandLine.Parsing;
using LazySnapshotter.Cli.Indexing;
using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Soci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index build SOURCE…` indexes every layer of images, wherever they lie; nothing but the index is kept. `--blob
// FILE` indexes one layer that lies on disk or comes through a pipe. Without -o the indexes go where this node's daemon
// finds them. `--format soci` makes soci's zTOCs and index manifests instead of our own index files.
internal sealed class IndexBuildCommand
{
    // What `soci create` takes.
    private const long DefaultSociLayerLengthMin = 10 << 20;

    private readonly Argument<string[]> _sources = new(
        "SOURCE") { Description = $"The images whose layers are indexed: each is {SourceOptions.Forms}", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _blob = new("--blob") { Description = "Index one layer in a file instead, - for standard input (a " +
        "tar, gzip-compressed or not)", HelpName = "FILE" };
    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Where the index goes: a file for --blob, a directory for SOURCE [default: this node's index store; none for soci]",
        HelpName = "PATH",
    };

    private readonly Option<string> _format = new("--format") { Description = "native, or soci: zTOCs and index manifests",
        HelpName = "native|soci", DefaultValueFactory = _ => NativeFormat.FormatName };
    private readonly Option<string?> _spanSize = new("--span-size") { Description = "Spans of about so many uncompressed bytes, for " +
        "example 4MiB [default: adaptive; 4MiB for soci]", HelpName = "SIZE" };
    private readonly Option<string?> _buildTool = new("--build-tool") { Description = $"soci: the identifier stored in the zTOC " +
        $"[default: {ZtocOptions.DefaultBuildTool}]", HelpName = "ID" };
    private readonly Option<string?> _layerSizeMin = new(
        "--min-layer-size") { Description = "soci: smaller layers get no zTOC [default: 10MiB]", HelpName = "SIZE" };
    private readonly Option<bool> _disableXattrs = new(
        "--disable-xattrs") { Description = "soci: mark layers that have no extended attributes (soci create --optimizations xattr)" };
    private readonly Option<bool> _json = new("--json") { Description = "One JSON object for each layer" };
    private readonly Option<string?> _root = RootOption.Create();
    private readonly SourceOptions _from = new();

    private IndexBuildCommand()
    {
    }

    public static Command Create()
    {
        var self = new IndexBuildCommand();
        var command = new Command("build", "Make the indexes of images' layers, or of one layer in a file")
        {
            self._sources, self._blob, self._output, self._format, self._spanSize, self._buildTool, self._layerSizeMin, self._disableXattrs,
                self._json, self._root,
        };
        self._from.AddTo(command);
        command.Validators.Add(self.Validate);
        command.SetAction(self.RunAsync);
        return command;
    }

    private void Validate(CommandResult result)
    {
        var sources = result.GetValue(_sources) ?? [];
        if (sources.Length == 0 == result.GetValue(_blob) is null)
            result.AddError("give either SOURCE or --blob FILE");
        foreach (var size in new[] { _spanSize, _layerSizeMin })
        {
            if (result.GetValue(size) is { } text && !ByteSize.TryParse(text, out _))
                result.AddError($"{size.Name}: \"{text}\" is not a size; 4MiB or 4194304 is");
        }

        if (result.GetValue(_spanSize) is { } spanSize
            && ByteSize.TryParse(spanSize, out var spanLength) && spanLength is < 1 or > CheckpointPlacement.SpanLengthMax)
            result.AddError($"--span-size: 1 B to {ByteSize.Format(CheckpointPlacement.SpanLengthMax)}");

        var format = result.GetValue(_format);
        if (format is not (null or NativeFormat.FormatName or SociFormat.FormatName)) // defaults come after validation
            result.AddError("--format is native or soci");
        var isSoci = format == SociFormat.FormatName;
        if (!isSoci
            && (result.GetValue(_buildTool) is not null || result.GetValue(_layerSizeMin) is not null || result.GetValue(_disableXattrs)))
            result.AddError("--build-tool, --min-layer-size and --disable-xattrs go with --format soci");
        if (isSoci && result.GetValue(_output) is null)
            result.AddError("--format soci needs -o: this node's index store has indexes of our own");
    }

    private async Task<int> RunAsync(ParseResult parsed, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        using var results = new ResultWriter(parsed.GetValue(_json), waits: BuildDisplay.HasBars);
        var isSound = parsed.GetValue(_blob) is { } file
            ? await BuildBlobAsync(parsed, file, results, cancellationToken)
            : await BuildImagesAsync(parsed, results, loggers, cancellationToken);
        return isSound ? 0 : Failure.ExitCode;
    }

    private async Task<bool> BuildImagesAsync(
        ParseResult parsed, ResultWriter results, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        await using var sources = await OpenedSources.OpenAsync(parsed.GetValue(_sources)!, _from, parsed, loggers);
        var images = new List<FoundImage>();
        foreach (var source in sources.All)
            images.AddRange(
                (await source.FindImagesAsync(_from.Platforms(parsed), cancellationToken)).Select(image => new FoundImage(source, image)));

        var output = parsed.GetValue(_output);
        IIndexFormat format = parsed.GetValue(_format) == SociFormat.FormatName
            ? new SociFormat(
                output!, SociOptions(parsed), Size(parsed, _layerSizeMin) ?? DefaultSociLayerLengthMin, parsed.GetValue(_disableXattrs))
            : new NativeFormat(new LayerIndexStore(output ?? parsed.RootOf(_root)), NativeOptions(parsed));
        return await BuildDisplay.ShowAsync(progress => new ImageIndexing(format, results).RunAsync(images, progress, cancellationToken));
    }

    private async Task<bool> BuildBlobAsync(ParseResult parsed, string file, ResultWriter results, CancellationToken cancellationToken)
    {
        await using var blob = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        var result = await BuildDisplay.ShowAsync(async progress =>
        {
            using var layer = progress.Start(file == "-" ? "standard input" : Path.GetFileName(file), blob.CanSeek ? blob.Length : null);
            if (parsed.GetValue(_format) == SociFormat.FormatName)
                return await SociFormat.BuildAsync(
                    blob, parsed.GetValue(_output)!, SociOptions(parsed) with { Progress = layer }, cancellationToken);
            return parsed.GetValue(_output) is { } output
                ? await NativeFormat.BuildAsync(blob, output, NativeOptions(parsed) with { Progress = layer }, cancellationToken)
                : await NativeFormat.BuildAsync(
                    blob, new LayerIndexStore(parsed.RootOf(_root)), NativeOptions(parsed) with { Progress = layer }, cancellationToken);
        });
        results.Write(result);
        return true;
    }

    private LayerIndexOptions NativeOptions(ParseResult parsed) =>
        Size(parsed, _spanSize) is { } spanLength
            ? new LayerIndexOptions { Placement = CheckpointPlacement.Uniform(spanLength) }
            : new LayerIndexOptions();

    private ZtocOptions SociOptions(ParseResult parsed) => new()
    {
        SpanLength = Size(parsed, _spanSize) ?? ZtocOptions.DefaultSpanLength,
        BuildTool = parsed.GetValue(_buildTool) ?? ZtocOptions.DefaultBuildTool,
    };

    private static long? Size(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is { } text && ByteSize.TryParse(text, out var bytes) ? bytes : null;
}
