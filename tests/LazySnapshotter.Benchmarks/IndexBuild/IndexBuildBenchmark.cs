using System.Globalization;
using System.Text;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Benchmarks.IndexBuild;

// Building the index of a real 400 MB layer: how long beside inflating it and nothing else, how large beside the layer,
// and how many bytes a cold read of every file fetches through it; beside it what other rules would have made of the
// same block boundaries. And how much memory a large layer takes.
internal static class IndexBuildBenchmark
{
    private const int ReadLength = 128 * 1024;
    private static readonly TimeSpan BuildTimeout = TimeSpan.FromMinutes(20);

    public static async Task RunAsync(string[] arguments)
    {
        foreach (var (name, path) in arguments.Length > 0 ? arguments.Select(path => (Path.GetFileName(path), path)) : await LayersAsync())
            await RunAsync(name, path);
    }

    private static async Task<IEnumerable<(string Name, string Path)>> LayersAsync()
    {
        var build = RepositoryRoot.Combine("tests", "LazySnapshotter.Benchmarks", "data", "build");
        return (await ProcessRunner.RunAsync(build, [], BuildTimeout)).Checked().Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2)).Select(parts => (parts[0], parts[1]));
    }

    private static async Task RunAsync(string name, string path)
    {
        await using var directory = TestDirectory.Create();
        var adaptive = directory.Combine("adaptive.lsi");
        Console.WriteLine($"{$"index, {name}: {new FileInfo(path).Length / 1e6:0} MB",-44}{"ours",10}{"peer",10}{"ours/peer",11}");
        await Comparison.TimeAsync(
            "  index it | inflate it", () => BuildAsync(path, adaptive, CheckpointPlacement.Adaptive), () => InflateAsync(path));
        Comparison.Size("  index | layer", new FileInfo(adaptive).Length, new FileInfo(path).Length);

        var boundaries = BlockBoundaries.Of(path);
        using var index = LayerIndex.Open(adaptive);
        var files = FilesOf(index);
        Console.WriteLine($"{$"  spans for {files.Count} files",-44}{"seeds",9}{"spans",9}{"index",9}{"4 KiB",9}{"p99",9}{"file",8}");
        Report("adaptive", index.Spans, new FileInfo(adaptive).Length, files, boundaries);

        var uniform = directory.Combine("uniform.lsi");
        await BuildAsync(path, uniform, CheckpointPlacement.Uniform(1 << 20));
        using var other = LayerIndex.Open(uniform);
        Report("uniform 1 MiB", other.Spans, new FileInfo(uniform).Length, files, boundaries);

        var all = boundaries.Choose(new SociRule(0), index.Spans);
        Report("every boundary a checkpoint, raw windows", all, all.Count * 32768L, files, boundaries);
        var soci = boundaries.Choose(new SociRule(4 << 20), index.Spans);
        Report("soci's rule, 4 MiB, raw windows", soci, soci.Count * 32768L, files, boundaries);
    }

    private static void Report(
        string name, SpanTable spans, long indexLength, List<(long Start, long Length)> files, BlockBoundaries boundaries)
    {
        var first = files.Select(file => Fetched(spans, file.Start, Math.Min(file.Length, 4096))).Order().ToList();
        var whole = files.Sum(file => Fetched(spans, file.Start, file.Length));
        var ideal = files.Sum(file => boundaries.CompressedAt(file.Start + file.Length) - boundaries.CompressedAt(file.Start));
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture,
            $"    {name,-40}{Checkpoints(spans),9}{spans.Count,9}{100.0 * indexLength / spans.CompressedLength,7:0.00} %");
        line.Append(CultureInfo.InvariantCulture,
            $"{first.Average() / 1024,5:0} KiB{first[first.Count * 99 / 100] / 1024,5:0} KiB{whole / ideal,7:0.0}x");
        Console.WriteLine(line);
    }

    /// <summary>What must be fetched to verify and read a range with nothing here: all spans it touches, from the start of a run.</summary>
    private static long Fetched(SpanTable spans, long start, long length)
    {
        var first = spans[spans.RunStart(spans.Find(start))];
        var last = spans[spans.Find(start + length - 1)];
        return last.CompressedEnd - first.CompressedOffset;
    }

    private static int Checkpoints(SpanTable spans) => Enumerable.Range(0, spans.Count).Count(span => !spans.IsContinued(new SpanId(span)));

    private static List<(long Start, long Length)> FilesOf(LayerIndex index)
    {
        var files = new List<(long, long)>();
        for (var entry = 0; entry < index.Toc.Count; entry++)
        {
            var extents = index.Toc.Extents(entry);
            if (extents.Count > 0)
                files.Add(
                    (extents[0].UncompressedOffset, extents[^1].UncompressedOffset + extents[^1].Length - extents[0].UncompressedOffset));
        }

        return files;
    }

    private static async Task BuildAsync(string path, string index, CheckpointPlacement placement)
    {
        await using var stream = File.OpenRead(path);
        await LayerIndexBuilder.BuildAsync(stream, index, new LayerIndexOptions { Placement = placement }, CancellationToken.None);
    }

    /// <summary>Reads and inflates a file with one member, and does nothing with what comes out.</summary>
    private static async Task InflateAsync(string path)
    {
        await using var file = File.OpenRead(path);
        var input = new byte[ReadLength];
        var output = new byte[1 << 20];
        var inflater = new Inflater();
        var header = default(GzipHeader);
        var position = 0;
        for (int length; (length = await file.ReadAsync(input)) > 0;)
        {
            var consumed = header.Append(input.AsSpan(0, length), out _);
            while (consumed < length)
            {
                var step = inflater.Inflate(
                    input.AsSpan(consumed, length - consumed), output, position, output.Length, stopAtBlocks: false);
                consumed += step.Consumed;
                position += step.Produced;
                if (step.State == InflateState.OutputFull)
                {
                    output.AsSpan(position - Inflater.WindowLengthMax, Inflater.WindowLengthMax).CopyTo(output);
                    position = Inflater.WindowLengthMax;
                }
                else if (step.State != InflateState.NeedInput)
                {
                    return;
                }
            }
        }
    }
}
