using System.Globalization;

namespace LazySnapshotter.Demo;

// The one table the demo is about.
internal static class Figures
{
    public static void Print(ColdStart unpacked, ColdStart lazy)
    {
        Console.WriteLine($"{"",-26}{unpacked.Name,12}{lazy.Name,12}{"ratio",10}");
        Row("pull", Seconds(unpacked.Pull), Seconds(lazy.Pull), unpacked.Pull / lazy.Pull);
        Row("time to first output", Seconds(unpacked.FirstOutput), Seconds(lazy.FirstOutput), unpacked.FirstOutput / lazy.FirstOutput);
        Row("bytes over the link", Bytes(unpacked.Bytes), Bytes(lazy.Bytes), (double)unpacked.Bytes / lazy.Bytes);
        Row("requests over the link", unpacked.Requests.ToString(CultureInfo.InvariantCulture), lazy.Requests.ToString(CultureInfo.InvariantCulture), (double)unpacked.Requests / lazy.Requests);
        Console.WriteLine();
        Console.WriteLine($"both containers said: {unpacked.Output}");
        if (lazy.Output != unpacked.Output)
            Console.WriteLine($"NO: the lazy one said: {lazy.Output}");
    }

    public static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");

    private static void Row(string name, string unpacked, string lazy, double ratio) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-26}{unpacked,12}{lazy,12}{ratio,9:0.00}x"));
}
