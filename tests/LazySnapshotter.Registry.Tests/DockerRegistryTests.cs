using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// The same client against a registry that is not ours, with an image that umoci made and skopeo pushed; and our own
// registry with the same image, which must look the same.
public sealed class DockerRegistryTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-image-").FullName;
    private readonly byte[] _file = new byte[500_000];

    private string Layout => Path.Combine(_folder, "layout");

    public async Task InitializeAsync()
    {
        new Random(3).NextBytes(_file);
        var source = Path.Combine(_folder, "file");
        await File.WriteAllBytesAsync(source, _file);
        (await ProcessRunner.RunAsync("umoci", ["init", "--layout", Layout])).Checked();
        (await ProcessRunner.RunAsync("umoci", ["new", "--image", Layout + ":v1"])).Checked();
        (await ProcessRunner.RunAsync("umoci", ["insert", "--rootless", "--image", Layout + ":v1", source, "/opt/file"])).Checked();
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Docker_registry_serves_what_skopeo_pushed()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await registry.PushAsync($"oci:{Layout}:v1", "team/image:v1");
        await AssertServesAsync(registry.Address, "team/image");
    }

    [Fact]
    public async Task The_test_registry_serves_the_layout_as_it_is()
    {
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("team/image", Layout);
        await AssertServesAsync(registry.Host, "team/image");
    }

    private async Task AssertServesAsync(string host, string repository)
    {
        using var client = new RegistryClient(new RegistryOptions { DockerConfigPath = Path.Combine(_folder, "none") }, new CapturedLogs());
        var reference = ImageReference.Parse($"{host}/{repository}:v1");
        var resolved = await client.ResolveAsync(reference, Platform.Current, CancellationToken.None);
        var config = OciJson.ReadConfig(
            await client.GetBlobBytesAsync(reference, resolved.Manifest.Config, CancellationToken.None), "config");
        Assert.Equal(resolved.Manifest.Layers.Count, config.RootFs.DiffIds.Count);

        var layer = resolved.Manifest.Layers[^1];
        var expected = await File.ReadAllBytesAsync(Path.Combine(Layout, "blobs", "sha256", layer.Digest.Hex));
        var blob = client.OpenBlob(reference, layer.Digest, layer.Size);
        await using (var whole = await blob.OpenAsync(ReadPriority.Demanded(), CancellationToken.None))
            Assert.Equal(expected, await Bench.ReadAllAsync(whole));

        var requests = client.Statistics.Requests;
        foreach (var (start, end) in ((int, int)[])[(0, 1), (1000, 51_000), (expected.Length - 1, expected.Length), (0, expected.Length)])
            Assert.Equal(expected[start..end], await ReadAsync(blob, start, end));
        Assert.Equal(requests + 4, client.Statistics.Requests);

        var beyond = client.OpenBlob(reference, layer.Digest, null);
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => beyond.OpenExactRangeAsync(expected.Length, 1, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.RangeNotSatisfiable, error.Failure);
        var missing = client.OpenBlob(reference, Digest.OfSha256("missing"u8), null);
        error = await Assert.ThrowsAsync<RegistryException>(
            () => missing.OpenExactRangeAsync(0, 1, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Contains("BLOB_UNKNOWN", error.Message, StringComparison.Ordinal);
    }

    private static async Task<byte[]> ReadAsync(RemoteBlob blob, int start, int end)
    {
        await using var stream = await blob.OpenExactRangeAsync(start, end - start, ReadPriority.Demanded(), CancellationToken.None);
        return await Bench.ReadAllAsync(stream);
    }
}
