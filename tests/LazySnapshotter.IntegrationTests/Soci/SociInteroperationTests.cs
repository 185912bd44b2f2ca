using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Soci;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests.Soci;

// One fleet with both snapshotters: an image indexed by either starts lazily on the other, with no step between.
public sealed class SociInteroperationTests(ITestOutputHelper output)
{
    [SociFact]
    public async Task A_container_starts_lazily_from_an_index_that_soci_made_and_pushed()
    {
        var image = await TestImages.Python;
        await using var registry = await DockerRegistry.StartAsync();
        var reference = await registry.PushAsync(image);
        await using (var builder = await ContainerdProcess.StartAsync())
        await using (var soci = new SociTool(builder))
        {
            await builder.PullAsync(reference, "overlayfs");
            Assert.Equal(image.Layers.Count, (await soci.CreateAsync(reference, 4 << 20)).Count);
            await soci.PushAsync(reference);
        }

        await using var node = await LazyNode.StartAsync();
        var pulled = await node.PullAsync(reference);
        output.WriteLine(pulled.Output);
        Assert.Contains(" 0 unpacked", pulled.Output, StringComparison.Ordinal);
        var run = await node.Containerd.RunAsync(reference, LazyNode.Snapshotter);
        output.WriteLine(run.ToString());
        Assert.StartsWith("numpy ", run.Checked().Output, StringComparison.Ordinal);
        foreach (var layer in image.Layers)
            Assert.Contains($"Layer {layer.Digest}: index", node.Daemon.Log, StringComparison.Ordinal);
    }

    [SociFact]
    public async Task Soci_starts_a_container_lazily_from_an_index_that_we_made_and_pushed()
    {
        var image = await TestImages.Python;
        await using var registry = await DockerRegistry.StartAsync(useTls: true);
        await registry.PushAsync(image);
        var reference = $"{registry.OtherAddress}/test/{image.Name}:{TestImage.Tag}";
        await using var directory = TestDirectory.Create();
        var layout = directory.Combine("soci");
        var hosts = directory.Combine("hosts");
        await File.WriteAllTextAsync(hosts, SociInstallation.Hosts);
        await LazysnapAsync("index", "build", "--format", "soci", "--min-layer-size", "0", "-o", layout, reference);
        await LazysnapAsync("index", "push", "--format", "soci", "--layout", layout, reference);

        await using var node = await SociNode.StartAsync(registry.CertificateFile!);
        var pulled = await node.PullAsync(reference);
        output.WriteLine(pulled.ToString());
        var run = await node.Containerd.RunAsync(reference, SociNode.Snapshotter);
        output.WriteLine($"{run}\n{node.Log}");
        Assert.StartsWith("numpy ", run.Checked().Output, StringComparison.Ordinal);
        Assert.Equal(image.Layers.Count, node.LayersPrepared(lazily: true));
        Assert.Equal(0, node.LayersPrepared(lazily: false));

        async Task LazysnapAsync(params string[] arguments)
        {
            var environment = new Dictionary<string, string> { ["SSL_CERT_FILE"] = registry.CertificateFile! };
            const string Script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
            string[] unshare = ["--mount", "--propagation", "private", "sh", "-c", Script, hosts, LazysnapProcess.ProgramPath];
            (await ProcessRunner.RunAsync("unshare", [.. unshare, .. arguments], environment: environment)).Checked();
        }
    }
}
