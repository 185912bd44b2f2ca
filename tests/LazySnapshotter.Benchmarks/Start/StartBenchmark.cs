using System.Diagnostics;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Benchmarks.Start;

// The program as it is delivered beside the same sources on the JIT: how soon it is of use, and what it holds while it has
// nothing to do.
internal static class StartBenchmark
{
    private static readonly TimeSpan _buildPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(TestImage image)
    {
        var (native, jit) = (LazysnapProcess.ProgramPath, await BuildJitAsync());
        Console.WriteLine($"{"",-44}{"native",10}{"JIT",10}{"native/JIT",11}");
        await Comparison.TimeAsync("--help", () => RunToEndAsync(native, "--help"), () => RunToEndAsync(jit, "--help"));
        await Comparison.TimeAsync("serve, until a call is answered", () => FirstAnswerAsync(native), () => FirstAnswerAsync(jit));

        var layer = image.Layers.MaxBy(layer => layer.Size)!;
        await using var directory = TestDirectory.Create();
        var blob = Path.Combine(image.LayoutPath, "blobs", layer.Digest.Algorithm, layer.Digest.Hex);
        string[] build = ["index", "build", "--blob", blob, "-o", directory.Combine("index.lsi")];
        await Comparison.TimeAsync(
            $"index a layer of {layer.Size / 1e6:0} MB", () => RunToEndAsync(native, build), () => RunToEndAsync(jit, build));

        await using var registry = await TestRegistry.StartAsync();
        var reference = await LayeredImage.PublishAsync(registry);
        var (ours, peer) = (await ResidentAsync(native, reference), await ResidentAsync(jit, reference));
        Comparison.Size("resident, idle", ours.Idle, peer.Idle);
        Comparison.Size($"resident, idle, {LayeredImage.LayerCount} layers mounted", ours.WithLayers, peer.WithLayers);
    }

    private static async Task<string> BuildJitAsync()
    {
        string[] build = ["build", RepositoryRoot.Combine("src", "LazySnapshotter.Cli"), "--configuration", "Release", "--nologo"];
        (await ProcessRunner.RunAsync("dotnet", build, _buildPatience)).Checked();
        return RepositoryRoot.Combine("src", "LazySnapshotter.Cli", "bin", "Release", "net10.0", "lazysnap");
    }

    private static async Task RunToEndAsync(string program, params string[] arguments) =>
        (await ProcessRunner.RunAsync(program, arguments)).Checked();

    private static async Task<double> FirstAnswerAsync(string program)
    {
        await using var directory = TestDirectory.Create();
        var address = directory.Combine("l.sock");
        var started = Stopwatch.GetTimestamp();
        await using var daemon = BackgroundProcess.Start(
            program, ["serve", "--address", address, "--root", directory.Combine("root"), "--containerd", directory.Combine("none")]);
        await SnapshotsCall.UntilAnsweredAsync(address);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await daemon.StopAsync(TimeSpan.FromSeconds(20));
        return seconds;
    }

    private static async Task<(long Idle, long WithLayers)> ResidentAsync(string program, string reference)
    {
        await using var daemon = LazysnapProcess.Create(program);
        await using var containerd = await ContainerdProcess.StartAsync(
            new ContainerdOptions { SnapshotterAddress = daemon.Address, SnapshotterRoot = daemon.Root });
        await daemon.StartAsync(containerd.Address);
        await containerd.WaitForSnapshotterAsync(LazyNode.Snapshotter);
        await Task.Delay(_settling);
        var idle = Resident(daemon.Id);
        await RunToEndAsync(LazysnapProcess.ProgramPath, "pull", "--containerd", containerd.Address, "-n", containerd.Namespace, reference);
        await Task.Delay(_settling);
        return (idle, Resident(daemon.Id));
    }

    // VmRSS:     36548 kB
    private static long Resident(int process) => 1024 * long.Parse(
        File.ReadLines($"/proc/{process}/status")
            .Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))["VmRSS:".Length..^"kB".Length],
        System.Globalization.CultureInfo.InvariantCulture);
}
