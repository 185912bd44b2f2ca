using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Copy;
using LazySnapshotter.Registry.Push;
using Spectre.Console;

namespace LazySnapshotter.Cli.Output;

// What a copy is doing, on standard error: on a terminal a bar for everything and one for each blob under way, otherwise
// a plain line for each blob that is there.
internal static class CopyDisplay
{
    public static Task<ImageCopyResult> ShowAsync(Func<IProgress<ImageCopyProgress>, Task<ImageCopyResult>> copy) =>
        Terminal.ErrorHasEscapes ? ShowBarsAsync(copy) : copy(new Lines());

    private static Task<ImageCopyResult> ShowBarsAsync(Func<IProgress<ImageCopyProgress>, Task<ImageCopyResult>> copy)
    {
        return Terminal.Error.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(),
                new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => copy(new Bars(context)));
    }

    private static string Describe(BlobPush end) => end switch
    {
        BlobPush.Present => "present",
        BlobPush.Mounted => "mounted",
        _ => "copied",
    };

    private sealed class Lines : IProgress<ImageCopyProgress>
    {
        public void Report(ImageCopyProgress value)
        {
            switch (value)
            {
                case ImageCopyProgress.Planned planned:
                    Console.Error.WriteLine(
                        $"{planned.Root.Descriptor.Digest}: {planned.Manifests} manifests, {planned.Blobs.Count} blobs " +
                            $"({ByteSize.Format(planned.Blobs.Sum(b => b.Size))})");
                    break;
                case ImageCopyProgress.Blob { End: { } end } blob:
                    Console.Error.WriteLine($"{blob.Descriptor.Digest} ({ByteSize.Format(blob.Descriptor.Size)}): {Describe(end)}");
                    break;
            }
        }
    }

    private sealed class Bars(ProgressContext context) : IProgress<ImageCopyProgress>
    {
        private readonly Dictionary<Digest, ProgressTask> _tasks = [];
        private readonly Dictionary<Digest, long> _done = [];
        private readonly Lock _gate = new();
        private ProgressTask? _all;

        public void Report(ImageCopyProgress value)
        {
            lock (_gate)
            {
                if (value is ImageCopyProgress.Planned planned)
                    _all = context.AddTask($"{planned.Blobs.Count} blobs", maxValue: Math.Max(1, planned.Blobs.Sum(b => b.Size)));
                else if (value is ImageCopyProgress.Blob blob)
                    Show(blob);
            }
        }

        private void Show(ImageCopyProgress.Blob blob)
        {
            var digest = blob.Descriptor.Digest;
            var name = $"{digest.Hex[..12]} {(blob.End is { } end ? Describe(end) : "copying")}";
            if (!_tasks.TryGetValue(digest, out var task))
                _tasks[digest] = task = context.AddTask(name, maxValue: Math.Max(1, blob.Descriptor.Size));
            task.Description = name;
            task.Value = blob.End is null ? blob.BytesDone : task.MaxValue;
            _all!.Value += blob.BytesDone - _done.GetValueOrDefault(digest);
            _done[digest] = blob.BytesDone;
            if (blob.End is not null)
                task.StopTask();
        }
    }
}
