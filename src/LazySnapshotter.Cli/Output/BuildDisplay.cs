using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace LazySnapshotter.Cli.Output;

// Progress on standard error: on a terminal a bar for the whole and one for each layer under way, with bytes, rate and
// time left; otherwise a line when a layer begins and ends, and every ten seconds while it lasts.
internal static class BuildDisplay
{
    public static bool HasBars => Terminal.ErrorHasEscapes;

    public static Task<T> ShowAsync<T>(Func<IBuildProgress, Task<T>> work)
    {
        if (!HasBars)
            return work(new Lines());
        return Terminal.Error.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new Bars(context)));
    }

    private sealed class Bars(ProgressContext context) : IBuildProgress
    {
        private readonly Lock _gate = new();
        private ProgressTask? _all;

        public void Expect(long length)
        {
            if (length > 0)
                _all = context.AddTask("all layers", maxValue: length);
        }

        public ILayerProgress Start(string name, long? length)
        {
            lock (_gate)
            {
                var task = context.AddTask(name, maxValue: Math.Max(1, length ?? 1));
                task.IsIndeterminate = length is null;
                return new Bar(this, task);
            }
        }

        private sealed class Bar(Bars bars, ProgressTask task) : ILayerProgress
        {
            private long _reported;

            public void Report(long value)
            {
                if (task.IsIndeterminate)
                    task.MaxValue = value;
                task.Value = value;
                bars._all?.Increment(value - _reported);
                _reported = value;
            }

            public void Dispose()
            {
                task.Value = task.MaxValue;
                task.StopTask();
            }
        }
    }

    private sealed class Lines : IBuildProgress
    {
        public void Expect(long length)
        {
        }

        public ILayerProgress Start(string name, long? length) => new Line(name, length);

        private sealed class Line : ILayerProgress
        {
            private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);

            private readonly string _name;
            private readonly long? _length;
            private readonly long _started = Stopwatch.GetTimestamp();
            private long _read;
            private TimeSpan _next = _interval;

            public Line(string name, long? length)
            {
                _name = name;
                _length = length;
                Console.Error.WriteLine(length is { } known ? $"{name}: reading {ByteSize.Format(known)}" : $"{name}: reading");
            }

            public void Report(long value)
            {
                _read = value;
                var elapsed = Stopwatch.GetElapsedTime(_started);
                if (elapsed < _next)
                    return;
                _next = elapsed + _interval;
                var rate = value / elapsed.TotalSeconds;
                var left = _length is { } length && rate > 0
                    ? string.Create(CultureInfo.InvariantCulture, $", {(length - value) / rate:0} s left")
                    : "";
                var total = _length is { } bytes ? " of " + ByteSize.Format(bytes) : "";
                Console.Error.WriteLine($"{_name}: {ByteSize.Format(value)}{total}, {ByteSize.Format((long)rate)}/s{left}");
            }

            public void Dispose()
            {
                var seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{_name}: read {ByteSize.Format(_read)} in {seconds:0.0} " +
                        $"s, {ByteSize.Format((long)(_read / Math.Max(seconds, 0.001)))}/s"));
            }
        }
    }
}
