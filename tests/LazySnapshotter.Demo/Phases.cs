using System.Diagnostics;
using System.Globalization;

namespace LazySnapshotter.Demo;

// What the demo is at, said when it begins and every few seconds while it lasts, and at the end where the time went.
internal sealed class Phases(TextWriter output, TimeSpan heartbeat)
{
    private readonly List<(string Name, TimeSpan Took)> _done = [];

    /// <summary>A phase that is over, measured elsewhere.</summary>
    public void Add(string name, TimeSpan took) => _done.Add((name, took));

    /// <param name="name">What is waited for.</param>
    public async Task<T> RunAsync<T>(string name, Func<Task<T>> work)
    {
        output.WriteLine($"{name} ...");
        var started = Stopwatch.GetTimestamp();
        var running = work();
        while (await Task.WhenAny(running, Task.Delay(heartbeat)) != running)
            output.WriteLine($"  ... {name}: {Seconds(Stopwatch.GetElapsedTime(started))} so far");
        var result = await running;
        Add(name, Stopwatch.GetElapsedTime(started));
        return result;
    }

    public async Task RunAsync(string name, Func<Task> work) => await RunAsync(name, async () =>
    {
        await work();
        return true;
    });

    public void Print()
    {
        output.WriteLine();
        output.WriteLine("where the time went:");
        foreach (var (name, took) in _done)
            output.WriteLine($"{Seconds(took),8}  {name}");
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s");
}
