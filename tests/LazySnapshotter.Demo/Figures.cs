using System.Globalization;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Demo;

// The tables: one column per way to start, and what the others are to ours.
internal static class Figures
{
    public static void Print(params IReadOnlyList<ColdStart> starts)
    {
        var ours = starts[^1];
        var ratios = starts.Count == 2 ? $"{"ratio",10}" : string.Concat(starts.SkipLast(1).Select(start => $"{start.Name + "/ours",16}"));
        Console.WriteLine($"{"",-26}{string.Concat(starts.Select(start => $"{start.Name,12}"))}{ratios}");
        Row("pull", start => start.Pull.TotalSeconds, Seconds);
        Row("time to first output", start => start.FirstOutput.TotalSeconds, Seconds);
        Row("time to end", start => start.End.TotalSeconds, Seconds);
        Row("bytes over the link", start => start.Traffic.Bytes, bytes => Bytes((long)bytes));
        Row("requests over the link", start => start.Traffic.Requests, Number);
        if (starts.Count > 2)
        {
            Row("  ping", start => start.Traffic.Count(TestRequestKind.Ping), Number);
            Row("  token", start => start.Traffic.Count(TestRequestKind.Token), Number);
            Row("  manifest", start => start.Traffic.Count(TestRequestKind.Manifest), Number);
            Row("  referrers", start => start.Traffic.Count(TestRequestKind.Referrers), Number);
            Row("  blob, at the registry", start => start.Traffic.Count(TestRequestKind.Blob), Number);
            Row("  blob, at the CDN", start => start.Traffic.Count(TestRequestKind.Cdn), Number);
        }

        Console.WriteLine();
        Console.WriteLine($"{(starts.Count == 2 ? "both" : "all")} containers said: {ours.Output}");
        foreach (var start in starts.Where(start => start.Output != ours.Output))
            Console.WriteLine($"NO: with {start.Name} it said: {start.Output}");

        void Row(string name, Func<ColdStart, double> value, Func<double, string> format)
        {
            var cells = string.Concat(starts.Select(start => $"{format(value(start)),12}"));
            var width = starts.Count == 2 ? 9 : 15;
            var ratios = string.Concat(starts.SkipLast(1).Select(start => Ratio(value(start), value(ours)).PadLeft(width + 1)));
            Console.WriteLine($"{name,-26}{cells}{ratios}");
        }
    }

    public static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.00} s");

    private static string Number(double number) => number.ToString("0", CultureInfo.InvariantCulture);

    private static string Ratio(double theirs, double ours) =>
        ours == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{theirs / ours:0.00}x");
}
