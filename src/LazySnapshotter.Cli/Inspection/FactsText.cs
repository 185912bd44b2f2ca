using LazySnapshotter.Cli.Output;

namespace LazySnapshotter.Cli.Inspection;

// Facts as lines for a person: a name, and what it is.
internal static class FactsText
{
    public static void Write(IndexFacts facts)
    {
        foreach (var (name, value) in Lines(facts))
            Console.WriteLine($"{name,-14} {value}");
    }

    public static void Write(ImageFacts facts)
    {
        Console.WriteLine(
            $"{"image",-14} {facts.Image} ({facts.Platform}){(facts.Manifest is null ? "" : ", manifest " + facts.Manifest)}");
        for (var i = 0; i < facts.Layers.Count; i++)
        {
            if (facts.Layers[i] is not { } layer)
                continue;
            Console.WriteLine(
                $"{$"layer {i + 1}",-14} {layer.Layer}: {layer.Spans} spans, index {ByteSize.Format(layer.IndexLength)} for "
                + $"{ByteSize.Format(layer.CompressedLength)} ({Percent(layer.Share)}), "
                + $"first 4 KiB {ByteSize.Format(layer.FirstRead.Mean)}");
        }

        foreach (var layer in facts.LayersWithoutIndex)
            Console.WriteLine($"{"no index",-14} {layer}");
        var indexed = facts.Layers.OfType<IndexFacts>().ToList();
        if (indexed.Count > 0)
        {
            var (indexes, layers) = (indexed.Sum(layer => layer.IndexLength), indexed.Sum(layer => layer.CompressedLength));
            Console.WriteLine(
                $"{"together",-14} indexes {ByteSize.Format(indexes)} for {ByteSize.Format(layers)} "
                + $"({Percent((double)indexes / Math.Max(1, layers))})");
        }

        if (facts.Entrypoint is { } entrypoint)
            Write(entrypoint);
    }

    private static void Write(EntrypointFacts facts)
    {
        Console.WriteLine($"{"entrypoint",-14} {string.Join(' ', facts.Command)}");
        foreach (var file in facts.Files)
            Console.WriteLine($"{"  reads",-14} {file.Path}: {ByteSize.Format(file.Length)}, " +
                $"fetches {ByteSize.Format(file.FirstReadLength)} for its first 4 KiB, {ByteSize.Format(file.WholeReadLength)} for all " +
                $"of it");
        Console.WriteLine($"{"  together",-14} {ByteSize.Format(facts.FirstReadLength)} for the first 4 KiB of " +
            $"each, {ByteSize.Format(facts.WholeReadLength)} for all of them");
        if (facts.Incomplete is not null)
            Console.WriteLine($"{"  incomplete",-14} {facts.Incomplete}");
    }

    private static IEnumerable<(string Name, string Value)> Lines(IndexFacts facts)
    {
        yield return ("format", facts.Format + (facts.BuildTool is null ? "" : $", made by {facts.BuildTool}"));
        if (facts.Layer is { } layer)
            yield return ("layer", layer.ToString());
        if (facts.DiffId is { } diffId)
            yield return ("diff ID", diffId.ToString());
        if (facts.IndexId is { } id)
            yield return ("index ID", id);
        yield return ("compression", facts.Compression);
        yield return ("compressed", ByteSize.Format(facts.CompressedLength));
        yield return ("uncompressed", ByteSize.Format(facts.UncompressedLength));
        yield return ("index", $"{ByteSize.Format(facts.IndexLength)}, {Percent(facts.Share)} of the layer");
        yield return ("  of it", string.Join(", ", facts.Parts.Select(part => $"{part.Key} {ByteSize.Format(part.Value)}")));
        yield return ("entries", string.Join(", ", facts.Entries.Select(type => $"{type.Value} {type.Key}")));
        if (facts.ImplicitDirectories > 0)
            yield return ("implicit", $"{facts.ImplicitDirectories} directories the tar does not mention");
        yield return ("file content", ByteSize.Format(facts.ContentLength));
        yield return ("spans",
            $"{facts.Spans} from {facts.Checkpoints} checkpoints, on average {ByteSize.Format(facts.MeanSpanLength)} compressed, the "
            + $"largest {ByteSize.Format(facts.LargestSpanLength)} ({ByteSize.Format(facts.LargestSpanUncompressedLength)} uncompressed)");
        yield return ("first 4 KiB", "fetches " + Costs(facts.FirstRead));
        yield return ("whole file", "fetches " + Costs(facts.WholeRead));
    }

    private static string Costs(ReadCosts costs) =>
        $"{ByteSize.Format(costs.Mean)} on average, {ByteSize.Format(costs.Median)} at the median, {ByteSize.Format(costs.P99)} at " +
            $"p99, {ByteSize.Format(costs.Max)} at most; over {costs.Files} files";

    private static string Percent(double share) => $"{100 * share:0.00} %";
}
