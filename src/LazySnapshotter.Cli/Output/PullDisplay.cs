using LazySnapshotter.Containerd.Pull;
using Spectre.Console;

namespace LazySnapshotter.Cli.Output;

// What a pull is doing, on standard error: a bar per layer on a terminal, otherwise a plain line for each change of state.
internal static class PullDisplay
{
    public static Task<PullResult> ShowAsync(Func<IProgress<PullProgress>, Task<PullResult>> pull) =>
        Terminal.ErrorHasEscapes ? ShowBarsAsync(pull) : pull(new Lines());

    private static Task<PullResult> ShowBarsAsync(Func<IProgress<PullProgress>, Task<PullResult>> pull)
    {
        return Terminal.Error.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn())
            .StartAsync(context => pull(new Bars(context)));
    }

    private static string Describe(LayerState state) => state switch
    {
        LayerState.Preparing => "preparing",
        LayerState.Downloading => "downloading",
        LayerState.Unpacking => "unpacking",
        LayerState.Present => "present",
        LayerState.Lazy => "lazy",
        _ => "unpacked",
    };

    private static bool IsFinal(LayerState state) => state is LayerState.Present or LayerState.Lazy or LayerState.Unpacked;

    private sealed class Lines : IProgress<PullProgress>
    {
        private readonly Dictionary<int, LayerState> _shown = [];
        private readonly Lock _gate = new();

        public void Report(PullProgress value)
        {
            lock (_gate)
            {
                switch (value)
                {
                    case PullProgress.Resolved resolved:
                        Console.Error.WriteLine($"manifest {resolved.Manifest}: {resolved.Layers.Count} layers");
                        break;
                    case PullProgress.Layer layer when !_shown.TryGetValue(layer.Index, out var before) || before != layer.State:
                        _shown[layer.Index] = layer.State;
                        Console.Error.WriteLine(
                            $"layer {layer.Index + 1} {layer.Descriptor.Digest} "
                            + $"({ByteSize.Format(layer.Descriptor.Size)}, {layer.Descriptor.MediaType}): {Describe(layer.State)}");
                        break;
                }
            }
        }
    }

    private sealed class Bars(ProgressContext context) : IProgress<PullProgress>
    {
        private readonly Dictionary<int, ProgressTask> _tasks = [];
        private readonly Lock _gate = new();

        public void Report(PullProgress value)
        {
            lock (_gate)
            {
                if (value is PullProgress.Layer layer)
                    Show(layer);
            }
        }

        private void Show(PullProgress.Layer layer)
        {
            var name = $"{layer.Descriptor.Digest.Hex[..12]} {Describe(layer.State)}";
            if (!_tasks.TryGetValue(layer.Index, out var task))
                _tasks[layer.Index] = task = context.AddTask(name, maxValue: Math.Max(1, layer.Descriptor.Size));
            task.Description = name;
            task.Value = IsFinal(layer.State) ? task.MaxValue : layer.BytesDone;
            if (IsFinal(layer.State))
                task.StopTask();
        }
    }
}
