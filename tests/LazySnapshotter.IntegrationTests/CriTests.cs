using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.IntegrationTests;

// Which images Kubernetes sees after containerd was started anew. CRI makes its list once, at its start, and leaves out an
// image whose uppermost snapshot the snapshotter gives no answer about; after that only events about images change the list.
public sealed class CriTests : IAsyncLifetime
{
    private const string KubernetesNamespace = "k8s.io";

    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    // Both messages are only looked through for a name; Empty keeps the fields it does not know.
    private static readonly Marshaller<Empty> _marshaller = Marshallers.Create(message => message.ToByteArray(), Empty.Parser.ParseFrom);
    private static readonly Method<Empty, Empty> _listImages =
        new(MethodType.Unary, "runtime.v1.ImageService", "ListImages", _marshaller, _marshaller);

    private TestRegistry _registry = null!;
    private LazyNode _node = null!;

    private string Reference => _registry.Reference("app").ToString();

    public async Task InitializeAsync()
    {
        _registry = await TestRegistry.StartAsync();
        AddImage(_registry.Content);
        _node = await LazyNode.StartAsync(cri: true);
        (await LazysnapProcess.RunAsync("pull", "--containerd", _node.Containerd.Address, "-n", KubernetesNamespace, Reference)).Checked();
        await WaitUntilListedAsync();
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task A_lazy_image_is_still_listed_when_containerd_was_started_again_beside_the_daemon()
    {
        await _node.Containerd.StopAsync();
        await _node.Containerd.StartAgainAsync();
        Assert.True(await ListsImageOnceReadyAsync());
    }

    [Fact]
    public async Task An_image_left_out_because_the_daemon_was_down_is_listed_again_when_it_is_labelled()
    {
        await _node.Containerd.StopAsync();
        Assert.Equal(0, await _node.Daemon.StopAsync());
        await _node.Containerd.StartAgainAsync();
        Assert.False(await ListsImageOnceReadyAsync());

        await _node.Daemon.StartAsync(_node.Containerd.Address);
        await _node.Containerd.WaitForSnapshotterAsync(LazyNode.Snapshotter);
        Assert.False(await ListsImageOnceReadyAsync());
        string[] label = ["images", "label", Reference, "io.cri-containerd.image=managed"];
        (await _node.Containerd.CtrAsync(["--namespace", KubernetesNamespace, .. label])).Checked();
        await WaitUntilListedAsync();
    }

    private static void AddImage(TestContent content)
    {
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            var file = new UstarTarEntry(TarEntryType.RegularFile, "hello") { DataStream = new MemoryStream("hello\n"u8.ToArray()) };
            writer.WriteEntry(file);
        }

        var layer = new MemoryStream();
        using (var gzip = new GZipStream(layer, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(tar.ToArray());
        var descriptor = content.AddBlob("app", layer.ToArray(), MediaTypes.OciLayerGzip);
        content.AddImage("app", "latest", [descriptor], [Digest.OfSha256(tar.ToArray())]);
    }

    private async Task WaitUntilListedAsync()
    {
        using var deadline = new CancellationTokenSource(_patience);
        while (!await ListsImageOnceReadyAsync())
            await Task.Delay(_interval, deadline.Token);
    }

    // CRI answers "server is not initialized yet" until its list is made.
    private async Task<bool> ListsImageOnceReadyAsync()
    {
        using var containerd = ContainerdChannel.Open(_node.Containerd.Address);
        using var deadline = new CancellationTokenSource(_patience);
        while (true)
        {
            try
            {
                var images = await containerd.CreateCallInvoker().AsyncUnaryCall(
                    _listImages, host: null, new CallOptions(cancellationToken: deadline.Token), new Empty());
                return images.ToByteArray().AsSpan().IndexOf(Encoding.UTF8.GetBytes(Reference)) >= 0;
            }
            catch (RpcException e) when (e.Status.Detail.Contains("not initialized", StringComparison.Ordinal))
            {
                await Task.Delay(_interval, deadline.Token);
            }
        }
    }
}
