using System.Diagnostics;
using System.Globalization;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Benchmarks.IndexBuild;

// The most memory a process takes that indexes a large layer from a pipe. A process of its own does it; this one makes
// the layer. And for how long the garbage collector stopped all threads meanwhile: in the daemon these are FUSE's, too.
internal static class IndexMemoryBenchmark
{
    public const string ChildArgument = "index-standard-input";

    public static async Task RunAsync(long uncompressedLength, int entryCount)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal)
            ? [Environment.GetCommandLineArgs()[0], ChildArgument] : [ChildArgument])
        { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var child = Process.Start(start)!;
        var said = child.StandardOutput.ReadToEndAsync();
        var started = Stopwatch.GetTimestamp();
        SyntheticLayer.Write(child.StandardInput.BaseStream, uncompressedLength, entryCount);
        child.StandardInput.Close();
        await child.WaitForExitAsync();
        var summary = (await said).Trim();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"index {uncompressedLength / 1e9:0.0} GB from a pipe, {entryCount} entries, {seconds:0} s: {summary}"));
    }

    public static async Task RunChildAsync()
    {
        await using var directory = TestDirectory.Create();
        await using var input = Console.OpenStandardInput();
        using var pauses = new GcPauses();
        var built = await LayerIndexBuilder.BuildAsync(
            input, directory.Combine("index.lsi"), new LayerIndexOptions(), CancellationToken.None);
        var peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))[6..].Trim();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{built.CompressedLength / 1e6:0} MB, {built.SpanCount} spans, {built.EntryCount} entries, " +
                $"index {built.IndexLength / 1e6:0.0} MB; peak resident {peak}; " +
                $"all threads stopped for {pauses.Total.TotalMilliseconds:0} ms, for {pauses.Longest.TotalMilliseconds:0} at a time"));
    }
}
