using System.Formats.Tar;
using System.IO.Compression;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.IntegrationTests;

// An image that lies about its layers, and an honest one that has the layers it claims: whatever the first one brings to a
// node, the second one shows its own files (docs/SECURITY.md).
public sealed class ImageClaimTests : IAsyncLifetime
{
    private static readonly byte[] GenuineTar = Tar("GENUINE");
    private static readonly byte[] EvilTar = Tar("EVIL!!!");
    private static readonly byte[] UpperTar = Tar("upper", "etc/app");

    private TestRegistry _registry = null!;
    private LazyNode _node = null!;

    public async Task InitializeAsync()
    {
        _registry = await TestRegistry.StartAsync();
        _node = await LazyNode.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Theory]
    [InlineData("streamed")]
    [InlineData("native")]
    [InlineData("soci")]
    [InlineData("indexed on the node before")]
    public async Task A_false_diff_id_changes_no_other_image(string index)
    {
        var evil = AddImage("evil/app", [EvilTar], [Digest.OfSha256(GenuineTar)]);
        var honest = AddImage("honest/app", [GenuineTar], [Digest.OfSha256(GenuineTar)]);
        await PublishAsync(evil, index);

        var pulled = await PullAsync(evil);
        // A zTOC says nothing of what its layer unpacks to: only then the claim stands until somebody else wants the layer.
        if (index != "soci")
        {
            Assert.NotEqual(0, pulled.ExitCode);
            Assert.Contains($"unpacks to {Digest.OfSha256(EvilTar)}", pulled.Error, StringComparison.Ordinal);
        }

        (await PullAsync(honest)).Checked();
        Assert.Equal("GENUINE", await ReadAsync(GenuineTar));
    }

    [Fact]
    public async Task A_false_diff_id_below_another_image_s_own_layer_is_found_out_at_that_image_s_pull()
    {
        var evil = AddImage("evil/app", [EvilTar, UpperTar], [Digest.OfSha256(GenuineTar), Digest.OfSha256(UpperTar)]);
        var honest = AddImage("honest/app", [GenuineTar, UpperTar], [Digest.OfSha256(GenuineTar), Digest.OfSha256(UpperTar)]);
        await PublishAsync(evil, "soci");
        (await PullAsync(evil)).Checked();
        (await PullAsync(honest)).Checked();
        Assert.Equal("GENUINE", await ReadAsync(GenuineTar, UpperTar));
        Assert.Contains("whose whole blob was seen", _node.Daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_layer_under_two_digests_with_one_diff_id_is_legitimate()
    {
        var first = AddImage("one/app", [GenuineTar], [Digest.OfSha256(GenuineTar)]);
        var second = AddImage("two/app", [GenuineTar], [Digest.OfSha256(GenuineTar)], CompressionLevel.NoCompression);
        (await PullAsync(first)).Checked();
        (await PullAsync(second)).Checked();
        Assert.Equal("GENUINE", await ReadAsync(GenuineTar));
    }

    [Fact]
    public async Task A_published_index_that_is_right_is_shared_after_one_comparison()
    {
        var first = AddImage("one/app", [GenuineTar], [Digest.OfSha256(GenuineTar)]);
        var second = AddImage("two/app", [GenuineTar], [Digest.OfSha256(GenuineTar)]);
        await PublishAsync(first, "soci");
        (await PullAsync(first)).Checked();
        (await PullAsync(second)).Checked();
        Assert.Equal("GENUINE", await ReadAsync(GenuineTar));
        _registry.ClearLog();
        Assert.Equal("GENUINE", await ReadAsync(GenuineTar));
        Assert.Empty(_registry.Requests);
    }

    private string AddImage(
        string repository, IReadOnlyList<byte[]> tars, IReadOnlyList<Digest> diffIds, CompressionLevel level = CompressionLevel.Optimal)
    {
        var layers = tars.Select(tar => _registry.Content.AddBlob(repository, Gzip(tar, level), MediaTypes.OciLayerGzip)).ToList();
        _registry.Content.AddImage(repository, "latest", layers, diffIds);
        return _registry.Reference(repository).ToString();
    }

    private async Task PublishAsync(string reference, string index)
    {
        await using var directory = TestDirectory.Create();
        if (index == "indexed on the node before")
        {
            await _node.IndexAsync(reference);
        }
        else if (index == "native")
        {
            (await LazysnapProcess.RunAsync("index", "build", "--root", directory.Path, reference)).Checked();
            (await LazysnapProcess.RunAsync("index", "push", "--root", directory.Path, reference)).Checked();
        }
        else if (index == "soci")
        {
            var layout = directory.Combine("layout");
            (await LazysnapProcess.RunAsync("index", "build", "--format", "soci", "--min-layer-size", "0", "-o", layout, reference))
                .Checked();
            (await LazysnapProcess.RunAsync("index", "push", "--format", "soci", "--layout", layout, reference)).Checked();
        }
    }

    private Task<ProcessResult> PullAsync(string reference) => LazysnapProcess.RunAsync(
        "pull", "--containerd", _node.Containerd.Address, "-n", _node.Containerd.Namespace, reference);

    // As a container on these layers would see it.
    private async Task<string> ReadAsync(params byte[][] tars)
    {
        var chain = ChainId.ForEachLayer([.. tars.Select(tar => Digest.OfSha256(tar))])[^1].ToString();
        await using var mounted = await _node.Containerd.MountSnapshotAsync(chain, LazyNode.Snapshotter, _node.Containerd.Namespace);
        return await File.ReadAllTextAsync(Path.Combine(mounted.Path, "bin", "su"));
    }

    private static byte[] Tar(string content, string name = "bin/su")
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(System.Text.Encoding.ASCII.GetBytes(content)),
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
        }

        return stream.ToArray();
    }

    private static byte[] Gzip(byte[] tar, CompressionLevel level)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, level, leaveOpen: true))
            gzip.Write(tar);
        return stream.ToArray();
    }
}
