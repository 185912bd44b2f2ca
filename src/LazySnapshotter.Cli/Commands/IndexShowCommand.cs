using System.CommandLine;
using System.Text.Json;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Cli.Inspection;
using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index show FILE|DIGEST|SOURCE`: what an index holds, where its bytes go, and what reading the layer by it costs.
// For an image: the same for each of its layers, and what its entrypoint costs.
internal sealed class IndexShowCommand
{
    private readonly Argument<string> _index = new(
        "INDEX") { Description = $"An index file (ours, or a zTOC), a layer's digest, or an image: {SourceOptions.Forms}" };
    private readonly Option<bool> _json = new("--json") { Description = "One JSON object for the index, or for each image" };
    private readonly Option<string?> _root = RootOption.Create();
    private readonly SourceOptions _from = new();

    private IndexShowCommand()
    {
    }

    public static Command Create()
    {
        var self = new IndexShowCommand();
        var command = new Command("show", "Show what an index holds and what reading by it costs") { self._index, self._json, self._root };
        self._from.AddTo(command);
        command.SetAction(self.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var text = parsed.GetRequiredValue(_index);
        if (!IsFile(text) && !Digest.TryParse(text, out _))
            return await ShowImagesAsync(parsed, text, loggers, cancellationToken);

        using var file = IndexFile.Open(text, () => parsed.RootOf(_root));
        file.Index.VerifyWindows();
        var facts = IndexFacts.Of(file);
        if (parsed.GetValue(_json))
            Console.WriteLine(JsonSerializer.Serialize(facts, CliJsonContext.Default.IndexFacts));
        else
            FactsText.Write(facts);
        return 0;
    }

    // Something that looks like a path is one, also where there is no such file: the message should say that.
    private static bool IsFile(string text) => File.Exists(text)
        || text.StartsWith('/') || text.StartsWith("./", StringComparison.Ordinal) || text.StartsWith("../", StringComparison.Ordinal);

    private async Task<int> ShowImagesAsync(ParseResult parsed, string text, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        await using var sources = await OpenedSources.OpenAsync([text], _from, parsed, loggers);
        var source = sources.All[0];
        var isComplete = true;
        foreach (var image in await source.FindImagesAsync(_from.Platforms(parsed), cancellationToken))
        {
            var facts = await InspectAsync(source, image, parsed.RootOf(_root), cancellationToken);
            if (parsed.GetValue(_json))
                Console.WriteLine(JsonSerializer.Serialize(facts, CliJsonContext.Default.ImageFacts));
            else
                FactsText.Write(facts);
            isComplete &= facts.LayersWithoutIndex.Count == 0;
        }

        if (!isComplete)
            await Console.Error.WriteLineAsync($"lazysnap: some layers have no index on this node; `lazysnap index list REF` shows which " +
                $"are published, `lazysnap index build {text}` makes them");
        return isComplete ? 0 : Failure.ExitCode;
    }

    private static async Task<ImageFacts> InspectAsync(
        IImageSource source, SourceImage image, string root, CancellationToken cancellationToken)
    {
        var store = new LayerIndexStore(root);
        var opened = new List<IndexFile?>();
        try
        {
            foreach (var layer in image.Layers)
                opened.Add(store.IdentitiesOf(layer.Digest).Count > 0 ? IndexFile.Open(layer.Digest.ToString(), () => root) : null);
            var isWhole = opened.TrueForAll(file => file is not null);
            return new ImageFacts
            {
                Image = source.Name,
                Platform = image.Platform.ToString(),
                Manifest = image.Manifest?.Digest.ToString(),
                Layers = [.. opened.Select(file => file is null ? null : IndexFacts.Of(file))],
                LayersWithoutIndex = [.. image.Layers.Where((_, i) => opened[i] is null).Select(layer => layer.Digest.ToString())],
                Entrypoint = isWhole
                    ? await EntrypointTrace.RunAsync(new(source, image, [.. opened.Select(file => file!.Index)]), cancellationToken)
                    : null,
            };
        }
        finally
        {
            foreach (var file in opened)
                file?.Dispose();
        }
    }
}
