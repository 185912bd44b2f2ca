using System.Diagnostics;
using LazySnapshotter.Daemon.Containerd;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Tests.Containerd;

// A containerd of our own: everything it has lies in one temporary directory, CRI is off, and nothing of it is left after
// DisposeAsync.
public sealed class TestContainerd : IAsyncLifetime
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("lazysnap-containerd-").FullName;
    private Process? _process;

    public string Address => Path.Combine(_directory, "containerd.sock");

    /// <summary>Configured as proxy plugin "answering".</summary>
    public AnsweringSnapshotter Snapshotter { get; } = new();

    public async Task InitializeAsync()
    {
        var config = Path.Combine(_directory, "config.toml");
        await File.WriteAllTextAsync(config, $"""
            version = 2
            root = "{_directory}/root"
            state = "{_directory}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
              "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]
            [grpc]
              address = "{Address}"
            [ttrpc]
              address = "{Address}.ttrpc"
            [proxy_plugins.nobody]
              type = "snapshot"
              address = "{_directory}/nobody.sock"
            [proxy_plugins.answering]
              type = "snapshot"
              address = "{_directory}/answering.sock"
            """);
        await Snapshotter.StartAsync(Path.Combine(_directory, "answering.sock"), _directory);

        var log = File.Create(Path.Combine(_directory, "log"));
        _process = Process.Start(new ProcessStartInfo("containerd", ["--config", config]) { RedirectStandardError = true })!;
        _ = _process.StandardError.BaseStream.CopyToAsync(log).ContinueWith(_ => log.Dispose(), TaskScheduler.Default);

        using var client = new ContainerdClient(Address);
        using var timeout = new CancellationTokenSource(StartTimeout);
        while (true)
        {
            try
            {
                await client.Version.GetAsync(timeout.Token);
                return;
            }
            catch (Exception e) when (e is ContainerdUnreachableException or GrpcException)
            {
                await Task.Delay(50, timeout.Token);
            }
        }
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        await Snapshotter.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Lets containerd collect garbage and waits for it.</summary>
    public async Task CollectGarbageAsync(string namespaceName)
    {
        await CtrAsync("--namespace", namespaceName, "leases", "create", "--id", "collect");
        await CtrAsync("--namespace", namespaceName, "leases", "delete", "--sync", "collect");
    }

    /// <summary>Runs containerd's own client; fails the test if it does.</summary>
    public async Task<string> CtrAsync(params string[] arguments)
    {
        using var ctr = Process.Start(new ProcessStartInfo("ctr", ["--address", Address, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = ctr.StandardOutput.ReadToEndAsync();
        var errors = ctr.StandardError.ReadToEndAsync();
        await ctr.WaitForExitAsync();
        Assert.True(ctr.ExitCode == 0, $"ctr {string.Join(' ', arguments)}: {await errors}");
        return await output;
    }
}
