using System.Diagnostics;
using System.Globalization;

namespace LazySnapshotter.Benchmarks.Inflate;

// Plain inflating of a real layer on one core, ours beside every decoder that Debian and .NET have: all in turns in
// one run, input in memory, output into one buffer of a mebibyte (libdeflate: all at once, it knows nothing else). What
// counts is CPU time of the process, so that a neighbour costs a decoder little.
internal static class InflateBenchmark
{
    public static async Task RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 5;
        var layers = arguments.Length > 1
            ? [.. arguments[1..].Select(path => (Path.GetFileName(path), path))]
            : await BenchmarkData.BuildAsync("gzip", "go", "pigz");
        foreach (var (name, path) in layers)
            Run(name, path, rounds);
    }

    private static void Run(string name, string path, int rounds)
    {
        using var layer = new DeflateInMemory(path);
        List<(string Name, Func<DeflateInMemory, long> Inflate)> engines =
        [
            ("ours", Engines.Ours),
            ("ours, counting reach", Engines.OursCountingReach),
            ("zlib (libz.so.1)", Engines.Zlib),
            (".NET DeflateStream (zlib-ng)", Engines.DotnetStream),
            (".NET's zlib-ng, called directly", Engines.DotnetNative),
        ];
        if (Engines.HasIsal)
            engines.Add(("ISA-L", Engines.Isal));
        if (Engines.HasLibdeflate)
            engines.Add(("libdeflate (whole buffer)", Engines.Libdeflate));

        var length = engines.Select(engine => (engine.Name, Length: engine.Inflate(layer))).ToList(); // warms up as well
        if (length.Any(one => one.Length != layer.UncompressedLength))
            throw new InvalidDataException($"not all agree on {layer.UncompressedLength} bytes: {string.Join(", ", length)}");

        var seconds = engines.Select(_ => new List<double>()).ToList();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < engines.Count; i++)
            {
                var started = Process.GetCurrentProcess().TotalProcessorTime;
                engines[i].Inflate(layer);
                seconds[i].Add((Process.GetCurrentProcess().TotalProcessorTime - started).TotalSeconds);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{$"inflate, {name}: {layer.Length / 1e6:0} MB " +
            $"of {layer.UncompressedLength / 1e6:0} MB",-44}{"MB/s",10}{"from",8}{"to",8}{"ours/it",10}"));
        for (var i = 0; i < engines.Count; i++)
        {
            var rates = seconds[i].Select(time => layer.UncompressedLength / 1e6 / time).Order().ToList();
            var ratio = Median(seconds[i].Zip(seconds[0], (it, ours) => it / ours));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{"  " + engines[i].Name,-44}{rates[rates.Count / 2],10:0}{rates[0],8:0}{rates[^1],8:0}{ratio,9:0.00}x"));
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
