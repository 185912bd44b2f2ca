using System.Text;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Node.Images;

namespace LazySnapshotter.Cli.Inspection;

// Follows an image's command to the files the kernel opens for it: the program, found through PATH in the merged tree, its
// script interpreters and its dynamic linker. Reads the beginning of each, a span or two.
internal sealed class EntrypointTrace
{
    private const int FilesMax = 8;

    // What runc and most shells use where an image sets none.
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private readonly FoundLayers _layers;
    private readonly MergedToc _tree;
    private readonly List<EntrypointFile> _files = [];
    private readonly HashSet<(int Layer, SpanId Span)> _first = [];
    private readonly HashSet<(int Layer, SpanId Span)> _whole = [];

    private EntrypointTrace(FoundLayers layers)
    {
        _layers = layers;
        _tree = new MergedToc(layers.Indexes.Select(index => index.Toc));
    }

    /// <param name="Image">The image.</param>
    /// <param name="Indexes">Of its layers, lowest first.</param>
    public sealed record FoundLayers(IImageSource Source, SourceImage Image, IReadOnlyList<LayerIndex> Indexes);

    /// <returns>Null where the image says nothing of a command.</returns>
    public static async Task<EntrypointFacts?> RunAsync(FoundLayers layers, CancellationToken cancellationToken)
    {
        var config = layers.Image.Config.Config;
        IReadOnlyList<string> command = [.. config?.Entrypoint ?? [], .. config?.Cmd ?? []];
        if (command.Count == 0)
            return null;

        var trace = new EntrypointTrace(layers);
        var incomplete = await trace.FollowAsync(command[0], config?.Env, config?.WorkingDir, cancellationToken);
        return new EntrypointFacts
        {
            Command = command,
            Files = trace._files,
            FirstReadLength = trace.Length(trace._first),
            WholeReadLength = trace.Length(trace._whole),
            Incomplete = incomplete,
        };
    }

    private async Task<string?> FollowAsync(
        string name, IReadOnlyList<string>? environment, string? workingDirectory, CancellationToken cancellationToken)
    {
        var path = environment?.FirstOrDefault(variable => variable.StartsWith("PATH=", StringComparison.Ordinal))?[5..] ?? DefaultPath;
        var pending = new Queue<string>([name]);
        while (pending.TryDequeue(out var next))
        {
            if (Find(next, path, workingDirectory) is not { } found)
                return $"{next} is not in the image";
            if (_files.Count == FilesMax)
                return $"more than {FilesMax} interpreters";
            if (_files.Any(file => file.Path == found.Path))
                continue;

            var (layer, entry) = _tree.Locate(found.Node);
            Add(found.Path, layer, entry);
            byte[] start;
            try
            {
                var blob = _layers.Source.OpenLayer(_layers.Image.Layers[layer]);
                start = await LayerContent.ReadStartAsync(_layers.Indexes[layer], blob, entry, ExecutableStart.Length, cancellationToken);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                return $"{found.Path} cannot be read: {e.Message}";
            }

            var (interpreter, command) = ExecutableStart.Read(start);
            if (interpreter is not null)
                pending.Enqueue(interpreter);
            if (command is not null)
                pending.Enqueue(command);
        }

        return null;
    }

    private (string Path, ImageTreeNode Node)? Find(string name, string path, string? workingDirectory)
    {
        string[] candidates = name.StartsWith('/') ? [name]
            : name.Contains('/', StringComparison.Ordinal)
                ? [$"{(workingDirectory is { Length: > 0 } ? workingDirectory : "/").TrimEnd('/')}/{name}"]
            : [.. path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => $"{directory.TrimEnd('/')}/{name}")];
        foreach (var candidate in candidates)
        {
            if (_tree.Resolve(Encoding.UTF8.GetBytes(candidate)) is { } node
                && _tree.EntryOf(node) is { Type: TocEntryType.File } entry && (entry.Mode & 0x49) != 0)
                return (candidate, node);
        }

        return null;
    }

    private void Add(string path, int layer, int entry)
    {
        var index = _layers.Indexes[layer];
        var first = ReadCosts.SpansOf(index, entry, ReadCosts.FirstReadLength);
        var whole = ReadCosts.SpansOf(index, entry, long.MaxValue);
        _first.UnionWith(first.Select(span => (layer, span)));
        _whole.UnionWith(whole.Select(span => (layer, span)));
        _files.Add(new EntrypointFile(
            path, index.Toc[entry].Size, index.LayerDigest.ToString(), first.Sum(
                span => index.Spans[span].CompressedLength), whole.Sum(span => index.Spans[span].CompressedLength)));
    }

    private long Length(IEnumerable<(int Layer, SpanId Span)> spans) =>
        spans.Sum(span => _layers.Indexes[span.Layer].Spans[span.Span].CompressedLength);
}
