using System.Diagnostics;
using System.Globalization;

namespace LazySnapshotter.Benchmarks;

// Two ways to do the same, timed in turns so that a machine that slows down slows both down.
internal static class Comparison
{
    private const int Rounds = 5;

    public static Task TimeAsync(string name, Func<Task> ours, Func<Task> peer) =>
        TimeAsync(name, () => SecondsAsync(ours), () => SecondsAsync(peer));

    /// <summary>Of work that says itself how many seconds of it count.</summary>
    public static async Task TimeAsync(string name, Func<Task<double>> ours, Func<Task<double>> peer)
    {
        // Not counted: what is loaded, compiled and cached once.
        await ours();
        await peer();
        var times = new List<(double Ours, double Peer)>();
        for (var round = 0; round < Rounds; round++)
            times.Add((await ours(), await peer()));

        var (oursMedian, peerMedian) = (Median(times.Select(time => time.Ours)), Median(times.Select(time => time.Peer)));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-44}{oursMedian,8:0.000} s{peerMedian,8:0.000} s{Median(times.Select(time => time.Ours / time.Peer)),10:0.00}x"));
    }

    public static void Size(string name, long ours, long peer) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{name,-44}{ours / 1e6,7:0.00} MB{peer / 1e6,7:0.0} MB{(double)ours / peer,10:0.0000}x"));

    private static async Task<double> SecondsAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
