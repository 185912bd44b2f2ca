using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.IntegrationTests;

// A daemon that ends, by order or by SIGKILL, and starts again on what it left.
public sealed class RestartTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restarted_daemon_serves_what_was_pulled_before_without_the_registry(bool crash)
    {
        var image = await TestImages.Python;
        var registry = await DockerRegistry.StartAsync();
        await using var node = await LazyNode.StartAsync();
        try
        {
            var reference = await registry.PushAsync(image);
            await node.IndexAsync(reference);
            await node.PullAsync(reference);

            // This fetches what the container needs; the rest of the layers stays away.
            var before = (await node.Containerd.RunAsync(reference, LazyNode.Snapshotter)).Checked();

            if (crash)
                await node.Daemon.KillAsync();
            else
                Assert.Equal(0, await node.Daemon.StopAsync());
            await registry.DisposeAsync();
            await node.Daemon.StartAsync(node.Containerd.Address);
            await node.Containerd.WaitForSnapshotterAsync(LazyNode.Snapshotter);

            var after = (await node.Containerd.RunAsync(reference, LazyNode.Snapshotter)).Checked();
            Assert.Equal(before.Output, after.Output);
        }
        finally
        {
            await registry.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(200)]
    public async Task Containers_start_from_layers_that_another_versions_program_mounted(byte version)
    {
        var image = await TestImages.Python;
        await using var registry = await DockerRegistry.StartAsync();
        await using var node = await LazyNode.StartAsync();
        var reference = await registry.PushAsync(image);
        await node.IndexAsync(reference);
        await node.PullAsync(reference);
        var before = (await node.Containerd.RunAsync(reference, LazyNode.Snapshotter)).Checked();
        Assert.Equal(0, await node.Daemon.StopAsync());

        var others = MakeIndexesOfVersion(version, node.Daemon.Root);
        Assert.Equal(image.Layers.Count, others.Count);
        await node.Daemon.StartAsync(node.Containerd.Address);
        await node.Containerd.WaitForSnapshotterAsync(LazyNode.Snapshotter);

        var after = (await node.Containerd.RunAsync(reference, LazyNode.Snapshotter)).Checked();
        Assert.Equal(before.Output, after.Output);
        foreach (var (file, bytes) in others)
            Assert.Equal(bytes, await File.ReadAllBytesAsync(file));
    }

    [Fact]
    public async Task A_daemon_killed_before_an_index_was_all_here_obtains_it_again_and_serves_on()
    {
        var image = await TestImages.Python;
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("python", image.LayoutPath);
        var reference = registry.Reference("python").ToString();
        await using var elsewhere = TestDirectory.Create();
        (await LazysnapProcess.RunAsync("index", "build", "--root", elsewhere.Path, reference)).Checked();
        (await LazysnapProcess.RunAsync("index", "push", "--root", elsewhere.Path, reference)).Checked();
        var indexes = IndexFiles.All(elsewhere.Path).Select(File.ReadAllBytes)
            .ToDictionary(file => Digest.OfSha256(file).ToString(), file => file.Length);
        bool IsOfIndex(TestRequest request) => request.Kind == TestRequestKind.Blob && indexes.ContainsKey(request.Path.Split('/')[^1]);

        // Of every index all but the last byte comes: enough to mount the layer, not to keep the file.
        await using var node = await LazyNode.StartAsync();
        registry.Faults.Add(new Fault { When = request =>
            IsOfIndex(request) && request.Range?.StartsWith("bytes=0-", StringComparison.Ordinal) == false, StallAt = 0 });
        foreach (var (digest, length) in indexes)
            registry.Faults.Add(
                new Fault { When = request => request.Path.EndsWith(digest, StringComparison.Ordinal), StallAt = length - 1 });
        var pulled = await node.PullAsync(reference);
        Assert.Contains($"{image.Layers.Count} lazy, 0 unpacked", pulled.Output, StringComparison.Ordinal);
        var here = IndexFiles.All(node.Daemon.Root).Length;
        Assert.InRange(here, 0, image.Layers.Count - 1);
        await node.Daemon.KillAsync();

        registry.Faults.Clear();
        registry.Faults.Add(new Fault { When = IsOfIndex, StatusCode = 503 });
        await node.Daemon.StartAsync(node.Containerd.Address, """{"index": {"sources": ["native"]}}""");
        await node.Containerd.WaitForSnapshotterAsync(LazyNode.Snapshotter);
        var broken = await node.Containerd.RunAsync(reference, LazyNode.Snapshotter);
        Assert.NotEqual(0, broken.ExitCode);
        Assert.Contains("is not on this node, it is obtained again in the background", node.Daemon.Log, StringComparison.Ordinal);

        registry.Faults.Clear();
        await node.Daemon.WaitForLogAsync("is here again");
        for (var attempt = 1; ; attempt++)
        {
            // One layer is here, the next may take another moment.
            var run = await node.Containerd.RunAsync(reference, LazyNode.Snapshotter);
            if (run.ExitCode != 0 && attempt < 20)
            {
                await Task.Delay(500);
                continue;
            }

            Assert.StartsWith("numpy ", run.Checked().Output, StringComparison.Ordinal);
            break;
        }

        Assert.Equal(image.Layers.Count, IndexFiles.All(node.Daemon.Root).Length);
    }

    [Fact]
    public async Task A_restarted_daemon_reads_more_of_a_layer_it_knows_with_exactly_one_request()
    {
        var image = await TestImages.Python;
        await using var registry = await TestRegistry.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true });
        registry.Content.AddLayout("python", image.LayoutPath);
        var reference = registry.Reference("python").ToString();
        await using var node = await LazyNode.StartAsync();
        await node.IndexAsync(reference);
        await node.PullAsync(reference);
        var (first, second) = TwoFilesFarApart(image, node.Daemon.Root, out var layer);

        // A node that knows nothing: what the layer's first read costs.
        registry.ClearLog();
        await using (var tree = await node.Containerd.MountImageAsync(image, LazyNode.Snapshotter))
            Assert.NotEmpty(await File.ReadAllBytesAsync(tree.Path + first));
        Assert.Contains(registry.Requests, request => request.Kind == TestRequestKind.Cdn && IsOf(request, layer));

        Assert.Equal(0, await node.Daemon.StopAsync());
        await node.Daemon.StartAsync(node.Containerd.Address);
        await node.Containerd.WaitForSnapshotterAsync(LazyNode.Snapshotter);
        await using var again = await node.Containerd.MountImageAsync(image, LazyNode.Snapshotter);
        registry.ClearLog();
        Assert.NotEmpty(await File.ReadAllBytesAsync(again.Path + second));
        var request = Assert.Single(registry.Requests);
        Assert.Equal(TestRequestKind.Cdn, request.Kind);
        Assert.True(IsOf(request, layer), request.ToString());
    }

    [Fact]
    public async Task A_daemon_says_whether_containerd_has_it_as_a_plugin()
    {
        await using var node = await LazyNode.StartAsync();
        await using var stranger = LazysnapProcess.Create();
        await stranger.StartAsync(node.Containerd.Address);

        await node.Daemon.WaitForLogAsync("has this daemon as its snapshotter lazysnap");
        await stranger.WaitForLogAsync($"has no snapshotter plugin at {stranger.Address}");
    }

    [Fact]
    public async Task A_second_daemon_on_the_same_root_or_socket_is_refused_and_the_first_serves_on()
    {
        await using var node = await LazyNode.StartAsync();

        var sameRoot = await LazysnapProcess.RunAsync("serve", "--root", node.Daemon.Root, "--address", node.Daemon.Address + "2");
        Assert.Equal(1, sameRoot.ExitCode);
        Assert.Contains(node.Daemon.Root, sameRoot.Error, StringComparison.Ordinal);

        var sameSocket = await LazysnapProcess.RunAsync("serve", "--root", node.Daemon.Root + "2", "--address", node.Daemon.Address);
        Assert.Equal(1, sameSocket.ExitCode);
        Assert.Contains(node.Daemon.Address, sameSocket.Error, StringComparison.Ordinal);

        (await node.Containerd.CtrAsync("snapshots", "--snapshotter", LazyNode.Snapshotter, "list")).Checked();
    }

    private static bool IsOf(TestRequest request, Digest layer) => request.Path.EndsWith(layer.ToString(), StringComparison.Ordinal);

    // Small files of the largest layer, in its second and in its last quarter.
    private static (string First, string Second) TwoFilesFarApart(TestImage image, string root, out Digest layer)
    {
        layer = image.Layers.MaxBy(l => l.Size)!.Digest;
        using var index = LayerIndex.Open(IndexFiles.Of(root, layer), layer);
        return (FileNear(index, 0.3), FileNear(index, 0.8));
    }

    private static string FileNear(LayerIndex index, double part)
    {
        var entry = Enumerable.Range(1, index.Toc.Count - 1)
            .Where(entry => index.Toc[entry] is { Type: TocEntryType.File, Size: > 0 and < 4096 })
            .MinBy(entry => Math.Abs(index.Toc.Extents(entry)[0].UncompressedOffset - (index.Spans.UncompressedLength * part)));
        return "/" + System.Text.Encoding.UTF8.GetString(index.Toc.PathOf(entry));
    }

    // As a program leaves them whose format has another version: its index has another identity, and the slots name that.
    private static Dictionary<string, byte[]> MakeIndexesOfVersion(byte version, string root)
    {
        var identity = new string('0', 64);
        var others = new Dictionary<string, byte[]>();
        foreach (var file in IndexFiles.All(root))
        {
            var other = Path.Combine(Path.GetDirectoryName(file)!, identity + ".lsi");
            others[other] = File.ReadAllBytes(file);
            others[other][8] = version;
            File.WriteAllBytes(other, others[other]);
            File.Move(Path.ChangeExtension(file, ".verified"), Path.ChangeExtension(other, ".verified"));
            File.Delete(file);
        }

        using var database = MetadataDatabase.Open(Path.Combine(root, "metadata.db"));
        database.Write(connection => { connection.Execute("UPDATE slots SET index_id = $id", ("$id", identity)); });
        return others;
    }
}
