using System.Globalization;
using LazySnapshotter.OddImages;
using LazySnapshotter.TestSupport.Registry;

// make odd-images: images made at random through overlayfs and through lazysnap, as many as one likes.
//
//   odd-images [--seed S] [--count N] [--parallel P] [--all]     images S to S+N-1 (default 1, 500, 2); --all tells of each
//   odd-images --seed S --write DIRECTORY                        the tars and blobs of an image as files, to look at
//
// Needs root, containerd, and out/lazysnap. Exit status 1 if one of them is not shown as it should be; a line for each says its
// seed, what was odd about it, and what differs. The same seed makes the same image again.
var tellsAll = args.Contains("--all");
int Number(string name, int otherwise) =>
    Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length
        ? int.Parse(args[at + 1], CultureInfo.InvariantCulture)
        : otherwise;

if (Array.IndexOf(args, "--write") is >= 0 and var write)
{
    var folder = Directory.CreateDirectory(args[write + 1]).FullName;
    foreach (var (number, layer) in OddImage.Add(new TestContent(), Number("--seed", 1)).Layers.Index())
    {
        File.WriteAllBytes(Path.Combine(folder, $"layer{number + 1}.tar"), layer.Blob.Tar);
        File.WriteAllBytes(Path.Combine(folder, $"layer{number + 1}.blob"), layer.Blob.Content);
    }

    return 0;
}

// An interrupted run must not leave its mounts behind.
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
await using var run = await OddRun.StartAsync();
var report = await OddReport.OfAsync(run, Number("--seed", 1), Number("--count", 500), Number("--parallel", 2), outcome =>
{
    if (tellsAll)
        Console.WriteLine(outcome);
}, stop.Token);
foreach (var outcome in report.Differences)
    Console.WriteLine(outcome);
Console.WriteLine(report);
return report.Differences.Count == 0 ? 0 : 1;
