using System.Net.Sockets;
using System.Security.Cryptography;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// A real containerd of one test: its own root, state, socket and namespace in a folder of its own, so that it shares nothing
// with a containerd of the machine or of another test. Disposing ends its containers, its shims and itself, and detaches
// every mount below its folder, also when the test failed.
public sealed class ContainerdProcess : IAsyncDisposable
{
    /// <summary>What the configuration calls our plugin.</summary>
    public const string PluginName = "lazysnap";

    private const int SilentRunsMax = 3;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly TestDirectory _directory;
    private readonly string _configuration;
    private BackgroundProcess? _process;
    private string _earlierLogs = "";

    private ContainerdProcess(TestDirectory directory)
    {
        _directory = directory;
        _configuration = directory.Combine("config.toml");
        Address = directory.Combine("c.sock");
        Namespace = "test-" + RandomNumberGenerator.GetHexString(8, lowercase: true);
    }

    public string Address { get; }

    /// <summary>Random: the paths of cgroups and of runc's state hold it, and those are the machine's.</summary>
    public string Namespace { get; }

    public string Log => _earlierLogs + _process?.Log;

    public static async Task<ContainerdProcess> StartAsync(ContainerdOptions? options = null)
    {
        var containerd = new ContainerdProcess(TestDirectory.Create());
        try
        {
            await File.WriteAllTextAsync(
                containerd._configuration, ContainerdConfiguration.Create(containerd._directory, containerd.Address, options ?? new()));
            await containerd.StartAgainAsync();
            return containerd;
        }
        catch
        {
            await containerd.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts containerd on the files it left behind.</summary>
    public async Task StartAgainAsync()
    {
        if (_process is not null)
        {
            _earlierLogs = Log;
            await _process.DisposeAsync();
        }

        _process = BackgroundProcess.Start(
            ContainerdInstallation.Daemon, ["--config", _configuration], ContainerdInstallation.ProcessEnvironment);
        await _process.WaitUntilAsync("serving", ServesAsync, StartTimeout);
    }

    /// <summary>Ends containerd; containers and shims run on.</summary>
    public async Task StopAsync()
    {
        if (_process is not null)
            await _process.StopAsync(StopTimeout);
    }

    /// <summary>containerd's own command line client, in this containerd's namespace.</summary>
    public Task<ProcessResult> CtrAsync(params IEnumerable<string> arguments) => CtrAsync(null, arguments);

    public Task<ProcessResult> CtrAsync(TimeSpan? timeout, IEnumerable<string> arguments) => ProcessRunner.RunAsync(
        ContainerdInstallation.Client, ["--address", Address, "--namespace", Namespace, .. arguments], timeout,
        ContainerdInstallation.ProcessEnvironment);

    public async Task PullAsync(string reference, string snapshotter, bool plainHttp = true)
    {
        var result = await CtrAsync(
            ["images", "pull", .. plainHttp ? ["--plain-http"] : Array.Empty<string>(), "--snapshotter", snapshotter, reference]);

        // ctr's output is pages of progress bars; what went wrong is in its error text.
        (result with { Output = "" }).Checked();
    }

    /// <summary>Returns when containerd can ask its plugin something: after a crash it notices with the first call that its
    /// connection is gone, and waits a moment (gRPC's backoff) before it connects again.</summary>
    public async Task WaitForSnapshotterAsync(string snapshotter) =>
        await _process!.WaitUntilAsync(
            $"connected to {snapshotter}", async () =>
                (await CtrAsync("snapshots", "--snapshotter", snapshotter, "list")).ExitCode == 0, StartTimeout);

    /// <summary>Runs a container to its end: the image's own command, or the given one. ctr's defaults suffice: runc v2 shim,
    /// pivot_root, own (empty) network namespace. A limit that root lacks CAP_SYS_RESOURCE for is never asked for.</summary>
    /// <remarks>A container that succeeded and said nothing is run again, at most twice. Seen once, on a busy machine and with
    /// the overlayfs snapshotter; that ctr gives up copying output when the task ends is the likely reason, not a proven one.</remarks>
    public async Task<ProcessResult> RunAsync(string reference, string snapshotter, params IEnumerable<string> command)
    {
        string[] arguments = [.. command];
        ProcessResult result;
        var attempts = 0;
        do
            result = await CtrAsync(["run", "--rm", "--snapshotter", snapshotter, reference, NewId(), .. arguments]);
        while (result is { ExitCode: 0, Output: "" } && ++attempts < SilentRunsMax);
        return result;
    }

    /// <summary>Starts a container that runs beside the test.</summary>
    public async Task<RunningContainer> StartContainerAsync(string reference, string snapshotter, params IEnumerable<string> command)
    {
        var id = NewId();

        // --null-io: without it the container's output ends in fifos that nobody reads once ctr has detached.
        (await CtrAsync(["run", "--detach", "--null-io", "--snapshotter", snapshotter, reference, id, .. command])).Checked();
        return await RunningContainer.FindAsync(this, id);
    }

    /// <summary>Mounts a pulled image's tree outside of any container.</summary>
    public Task<MountedImage> MountImageAsync(TestImage image, string snapshotter) =>
        MountSnapshotAsync(image.ChainId.ToString(), snapshotter, Namespace);

    /// <summary>The same of the snapshot with a chain ID, which may be in another namespace.</summary>
    public async Task<MountedImage> MountSnapshotAsync(string chainId, string snapshotter, string inNamespace)
    {
        // Not `ctr images mount`: that of 1.6 knows only the default snapshotter. Not a view: ctr labels only what it
        // prepares as a root, and containerd collects the rest at once.
        var key = "tree-" + NewId();
        var target = _directory.MakeDirectory(key);
        string[] snapshots = ["--namespace", inNamespace, "snapshots", "--snapshotter", snapshotter];
        var mount = (await CtrAsync([.. snapshots, "prepare", "--target", target, key, chainId])).Checked();

        // What it prints is a command: mount -t overlay overlay TARGET -o …
        var command = mount.Output.Trim().Split(' ');
        (await ProcessRunner.RunAsync(command[0], command[1..])).Checked();
        return new MountedImage(() => CtrAsync([.. snapshots, "remove", key]), key, target);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is { HasExited: false })
                await ContainerdCleanup.DeleteContainersAsync(this);
        }
        finally
        {
            await StopAsync();
            ContainerdCleanup.KillShims(Address);
            if (_process is not null)
                await _process.DisposeAsync();
            await _directory.DisposeAsync();
            ContainerdCleanup.RemoveCgroups(Namespace);
        }
    }

    private static string NewId() => "c-" + RandomNumberGenerator.GetHexString(8, lowercase: true);

    // The socket exists before the services do; `ctr version` is answered by them.
    private async Task<bool> ServesAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Address));
        }
        catch (SocketException)
        {
            return false;
        }

        return (await CtrAsync("version")).ExitCode == 0;
    }
}
