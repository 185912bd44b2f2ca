using System.CommandLine;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index build REF` indexes every layer of an image straight from its registry; nothing but the index is kept.
// `--blob FILE` indexes one layer that lies on disk. Without -o the indexes go where this node's daemon finds them.
internal static class IndexBuildCommand
{
    // Indexing a layer takes a core; more at a time only wait for each other.
    private static readonly int _layersAtATime = Environment.ProcessorCount;

    public static Command Create()
    {
        var reference = new Argument<string?>("REF") { Description = "The image whose layers are indexed", Arity = ArgumentArity.ZeroOrOne };
        var blob = new Option<string?>("--blob") { Description = "Index one layer in a file instead (a tar, gzip-compressed or not)", HelpName = "FILE" };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "Where the index goes: a file for --blob, a directory for REF [default: this node's index store]",
        };
        var root = ImageArguments.Root();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command("build", "Make the indexes of an image's layers, or of one layer in a file") { reference, blob, output, root, plainHttp };
        command.Validators.Add(result =>
        {
            if (result.GetValue(reference) is null == result.GetValue(blob) is null)
                result.AddError("give either REF or --blob FILE");
        });
        command.SetAction((parsed, loggers, cancellationToken) =>
        {
            var store = parsed.GetRequiredValue(root);
            return parsed.GetValue(blob) is { } file
                ? BuildFromFileAsync(file, parsed.GetValue(output), store, cancellationToken)
                : BuildFromRegistryAsync(
                    ImageReference.Parse(parsed.GetValue(reference)!), parsed.GetValue(plainHttp), parsed.GetValue(output), store, loggers, cancellationToken);
        });
        return command;
    }

    private static async Task<int> BuildFromFileAsync(string file, string? output, string root, CancellationToken cancellationToken)
    {
        await using var blob = File.OpenRead(file);
        if (output is not null)
        {
            Report(await LayerIndexBuilder.BuildAsync(blob, output, new LayerIndexOptions(), cancellationToken), output);
            return 0;
        }

        // The index store names files by the layer's digest, which is known only when the blob has passed.
        var store = new LayerIndexStore(root);
        using var scratch = new ScratchFile();
        var built = await LayerIndexBuilder.BuildAsync(blob, scratch.Path, new LayerIndexOptions(), cancellationToken);
        await using (var index = File.OpenRead(scratch.Path))
            (await store.AddAsync(built.LayerDigest, index, cancellationToken)).Dispose();
        Report(built, store.PathOf(built.LayerDigest));
        return 0;
    }

    private static async Task<int> BuildFromRegistryAsync(
        ImageReference image, bool plainHttp, string? output, string root, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        using var registry = new RegistryClient(ImageArguments.RegistrySection(image, plainHttp).ToClientOptions(), loggers.CreateLogger<RegistryClient>());
        var resolved = await registry.ResolveAsync(image, Platform.Current, cancellationToken);
        var store = new LayerIndexStore(output ?? root);
        var failed = 0;
        await Parallel.ForEachAsync(
            resolved.Manifest.Layers.DistinctBy(layer => layer.Digest),
            new ParallelOptions { MaxDegreeOfParallelism = _layersAtATime, CancellationToken = cancellationToken },
            async (layer, ct) =>
            {
                if (store.Contains(layer.Digest))
                {
                    Console.WriteLine($"{layer.Digest}: indexed before");
                    return;
                }

                try
                {
                    await using var blob = await registry.OpenBlob(image, layer.Digest, layer.Size).OpenAsync(ct);
                    var options = new LayerIndexOptions { ExpectedDigest = layer.Digest };
                    Report(await LayerIndexBuilder.BuildAsync(blob, store.PathOf(layer.Digest), options, ct), store.PathOf(layer.Digest));
                }
                catch (Exception e) when (e is InvalidDataException or UnsupportedLayerException or IOException)
                {
                    // The other layers are worth their index all the same.
                    await Console.Error.WriteLineAsync($"lazysnap: {e.Message}");
                    Interlocked.Increment(ref failed);
                }
            });
        return failed == 0 ? 0 : CommandRunner.FailedExitCode;
    }

    private static void Report(LayerIndexBuildResult built, string path) => Console.WriteLine(
        $"{built.LayerDigest}: {built.EntryCount} entries, {built.SpanCount} spans, "
        + $"{ByteSize.Format(built.IndexLength)} for {ByteSize.Format(built.CompressedLength)} ({100.0 * built.IndexLength / built.CompressedLength:0.00} %) in {path}");

    private sealed class ScratchFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"lazysnap-{Guid.NewGuid():N}.lsi");

        public void Dispose() => File.Delete(Path);
    }
}
