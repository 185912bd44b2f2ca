using System.CommandLine;
using System.Globalization;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index show FILE`: what an index file says about its layer.
internal static class IndexShowCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "An index file (.lsi)" };
        var command = new Command("show", "Show what an index file holds") { file };
        command.SetAction((parsed, _, _) =>
        {
            using var index = LayerIndex.Open(parsed.GetRequiredValue(file));
            index.VerifyWindows();
            foreach (var (name, value) in Describe(index))
                Console.WriteLine($"{name,-14} {value}");
            return Task.FromResult(0);
        });
        return command;
    }

    private static IEnumerable<(string Name, string Value)> Describe(LayerIndex index)
    {
        var types = new int[Enum.GetValues<TocEntryType>().Length];
        long content = 0;
        for (var entry = 0; entry < index.Toc.Count; entry++)
        {
            types[(int)index.Toc[entry].Type]++;
            content += index.Toc[entry].Type == TocEntryType.File ? index.Toc[entry].Size : 0;
        }

        var largest = Enumerable.Range(0, index.Spans.Count).Max(span => index.Spans[new SpanId(span)].CompressedLength);
        yield return ("layer", index.LayerDigest.ToString());
        yield return ("diff ID", index.DiffId?.ToString() ?? "unknown");
        yield return ("index", $"{index.Id}, {ByteSize.Format(index.FileLength)}");
        yield return ("compression", index.Compression.ToString().ToLowerInvariant());
        yield return ("compressed", ByteSize.Format(index.Spans.CompressedLength));
        yield return ("uncompressed", ByteSize.Format(index.Spans.UncompressedLength));
        yield return ("spans", string.Create(
            CultureInfo.InvariantCulture,
            $"{index.Spans.Count}, on average {ByteSize.Format(index.Spans.CompressedLength / index.Spans.Count)} compressed, at most {ByteSize.Format(largest)}"));
        yield return ("entries", string.Join(", ", Enum.GetValues<TocEntryType>().Where(type => types[(int)type] > 0).Select(type => $"{types[(int)type]} {type}")));
        yield return ("file content", ByteSize.Format(content));
        if (index.Toc.ImplicitDirectories.Count > 0)
            yield return ("implicit", $"{index.Toc.ImplicitDirectories.Count} directories the tar does not mention");
    }
}
