using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Benchmarks.Index;

// `bench open [ENTRIES [BUILD_ENTRIES]]`: what an index file costs who makes and who opens it. A made-up layer shaped like a real one
// (a dozen files a directory, one time per package) of 50,000 entries is opened again and again: milliseconds, what stays in
// memory, what passes through. And before that, while the process is fresh: the tree of 500,000 entries, to its file.
internal static class OpenBenchmark
{
    private const int Rounds = 30;

    public static void Run(string[] arguments)
    {
        var entryCount = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 50_000;
        var buildCount = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 500_000;
        var directory = Directory.CreateTempSubdirectory("open-benchmark-");
        try
        {
            var path = Path.Combine(directory.FullName, "index.lsi");
            if (buildCount > 0)
                Build(buildCount, path);
            Build(entryCount, path);
            Open(path);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static void Build(int entryCount, string path)
    {
        var heapBefore = GC.GetTotalMemory(forceFullCollection: true);
        var started = Stopwatch.GetTimestamp();
        var builder = new TocBuilder();
        var length = 0L;
        for (var i = 0; i < entryCount; i++)
            builder.Add(Entry(i, ref length));
        var added = Stopwatch.GetElapsedTime(started);
        var heapOfTree = GC.GetTotalMemory(forceFullCollection: true) - heapBefore;

        started = Stopwatch.GetTimestamp();
        var content = Content(builder.Build(), length, Path.GetDirectoryName(path)!);
        LayerIndexHeader header;
        using (content.Windows)
        using (var file = File.Create(path))
            header = LayerIndexWriter.Write(file, content);
        var written = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{entryCount} entries: tree {added.TotalMilliseconds:0} " +
            $"ms, {heapOfTree / 1e6:0.0} MB; frozen and written {written.TotalMilliseconds:0} ms;"
            + $" file {header.FileLength / 1e6:0.00} MB, {header.Toc.StoredLength * 8.0 / entryCount:0} bits an entry; process at " +
                $"most {PeakResidentBytes() / 1e6:0} MB resident"));
    }

    private static void Open(string path)
    {
        LayerIndex.Open(path).Dispose(); // not counted: the compiler's work
        var times = new List<double>();
        var stays = 0L;
        var passes = 0L;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
            var started = Stopwatch.GetTimestamp();
            using var index = LayerIndex.Open(path);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            passes = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
            stays = GC.GetTotalMemory(forceFullCollection: true) - before;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"open: first {times[0]:0.0} ms, median {times.Order().ElementAt(Rounds / 2):0.0} ms, at most {times.Max():0.0} ms;"
            + $" stays {stays / 1e6:0.0} MB, allocated {passes / 1e6:0.0} MB"));
    }

    private static TarEntry Entry(int number, ref long length)
    {
        // 1 directory, 10 files, 1 link each; names as they are in /usr.
        var directory = $"usr/share/package-{number / 600:d4}/part-{number / 12:d6}";
        var name = number % 12 == 0
            ? directory + "/"
            : $"{directory}/{Names[number % Names.Length]}-{number * 7919L % 100_003:x}{Suffixes[number % Suffixes.Length]}";
        var size = number % 12 is 0 or 11 ? 0 : number * 2_654_435_761L % 20_000;
        length += 512;
        var entry = new TarEntry
        {
            Type = (number % 12) switch { 0 => TarEntryType.Directory, 11 => TarEntryType.SymbolicLink, _ => TarEntryType.File },
            Name = System.Text.Encoding.ASCII.GetBytes(name),
            LinkName = number % 12 == 11 ? "../other/target"u8.ToArray() : [],
            Mode = number % 12 == 0 ? 0x1ED : number % 5 == 0 ? 0x1ED : 0x1A4,
            MtimeSeconds = 1_700_000_000 + number / 600 * 86_413L,
            Size = size,
            DataOffset = length,
        };
        length += (size + 511) & ~511L;
        return entry;
    }

    // Spans as the adaptive placement makes them, a window of 2 KB for each.
    private static LayerIndexContent Content(LayerToc toc, long length, string directory)
    {
        const int SpanLength = 450_000;
        var count = (int)(length / SpanLength) + 1;
        var windows = new WindowSpool(directory);
        var window = new byte[2000];
        for (var i = 0; i < count; i++)
        {
            new Random(i).NextBytes(window);
            windows.Add(i == 0 ? default : window);
        }

        var digests = new byte[count * SHA256.HashSizeInBytes];
        new Random(1).NextBytes(digests);
        return new LayerIndexContent
        {
            Compression = LayerCompression.Gzip,
            LayerDigest = Digest.OfSha256("made up"u8),
            DiffId = null,
            Toc = toc,
            Spans = new SpanTable(
                [.. Enumerable.Range(0, count).Select(i => i * (SpanLength / 3 * 8L) + i % 8)],
                [.. Enumerable.Range(0, count).Select(i => (long)i * SpanLength)],
                digests, count * (SpanLength / 3L) + 100, length),
            Windows = windows,
        };
    }

    private static long PeakResidentBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1], CultureInfo.InvariantCulture) * 1024;
    }


    private static readonly string[] Names = ["libfoo", "README", "__init__", "module", "copyright", "changelog", "table"];
    private static readonly string[] Suffixes = [".py", ".so.1", "", ".txt", ".h", ".json", ".pyc", ".gz", ".md", ".cfg", ".map"];
}
