using System.Net.Sockets;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Soci;

// A node of the peer: containerd with the real soci-snapshotter-grpc as its plugin. Its content store is always in /var/lib, so
// it runs in a mount namespace of its own in which a folder of the test is /var/lib; what it mounts below its root is
// still seen by containerd, because that root is a mount both namespaces share.
public sealed class SociNode : IAsyncDisposable
{
    /// <summary>What this containerd calls its plugin, whoever it is.</summary>
    public const string Snapshotter = ContainerdProcess.PluginName;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);

    private readonly TestDirectory _directory = TestDirectory.Create();
    private SociTool? _tool;
    private BackgroundProcess? _process;

    private SociNode()
    {
    }

    public ContainerdProcess Containerd { get; private set; } = null!;

    public string Log => _process!.Log;

    private string Address => _directory.Combine("s.sock");

    /// <param name="certificateFile">Of the registry. It speaks TLS: soci 0.4 fetches indexes in no other way.</param>
    public static async Task<SociNode> StartAsync(string certificateFile)
    {
        var node = new SociNode();
        try
        {
            var root = node._directory.MakeDirectory("root");
            node.Containerd = await ContainerdProcess.StartAsync(
                new ContainerdOptions { SnapshotterAddress = node.Address, SnapshotterRoot = root });
            node._tool = new SociTool(node.Containerd, certificateFile);
            var content = node._directory.MakeDirectory("varlib");
            var configuration = node._directory.Combine("config.toml");
            await File.WriteAllTextAsync(configuration, ""); // its defaults
            node._directory.MakeDirectory("varlib/soci-snapshotter-grpc");
            await File.WriteAllTextAsync(node._directory.Combine("varlib", "hosts"), SociInstallation.Hosts);
            (await ProcessRunner.RunAsync("sh", ["-c", "mount --bind \"$0\" \"$0\" && mount --make-shared \"$0\"", root])).Checked();
            node._process = BackgroundProcess.Start(
                "unshare",
                [
                    "--mount", "--propagation", "unchanged", "sh", "-c", "mount --make-private / && mount --bind \"$0\" /var/lib && " +
                        "mount --bind \"$0/hosts\" /etc/hosts && exec \"$@\"", content,
                    SociInstallation.Program("soci-snapshotter-grpc"), "--address", node.Address, "--root", root,
                    "--config", configuration, "--log-level", "debug",
                ],
                new Dictionary<string, string> { ["SSL_CERT_FILE"] = certificateFile });
            await node._process.WaitUntilAsync("serving", node.ServesAsync, StartTimeout);
            await node.Containerd.WaitForSnapshotterAsync(Snapshotter);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Soci's own pull, which tells its snapshotter what it must know.</summary>
    public async Task<ProcessResult> PullAsync(string reference) =>
        (await _tool!.RunAsync("image", "rpull", "--snapshotter", Snapshotter, reference)).Checked();

    /// <summary>How many layers soci said it mounted without unpacking them, or had to leave to containerd.</summary>
    public int LayersPrepared(bool lazily) =>
        Log.Split('\n')
            .Count(line => line.Contains($"\"remote-snapshot-prepared\":\"{(lazily ? "true" : "false")}\"", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        if (Containerd is not null)
            await Containerd.DisposeAsync();
        if (_tool is not null)
            await _tool.DisposeAsync();
        if (_process is not null)
        {
            await _process.StopAsync(StopTimeout);
            await _process.DisposeAsync();
        }

        await _directory.DisposeAsync();
    }

    private async Task<bool> ServesAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Address));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
