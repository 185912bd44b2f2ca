using System.Text;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Node.Tests;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Snapshots;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts.Tests;

// Credentials in the labels of a Prepare, all the way: from the snapshotter through the mounter to a registry that wants
// them, and into nothing that stays.
public sealed class PullCredentialsTests : IAsyncLifetime
{
    private static readonly byte[] Blob = TestLayers.Blob(("etc/", null), ("etc/secret-free", "content"));

    private const string Repository = "team/private";
    private const string Username = "someone-of-the-team";
    private const string Password = "pull-secret-0815";

    private readonly TestDirectory _directory = TestDirectory.Create();
    private readonly CapturedLogs _log = new();
    private TestRegistry _registry = null!;
    private Descriptor _layer = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _directory.DisposeAsync();
    }

    [Theory]
    [InlineData(TestAuthMode.Bearer)]
    [InlineData(TestAuthMode.Basic)]
    public async Task Credentials_in_labels_are_shown_to_the_registry_and_stored_nowhere(TestAuthMode mode)
    {
        await StartRegistryAsync(new TestRegistryOptions { Auth = mode, Username = Username, Password = Password });
        await WithSnapshotterAsync(async snapshotter =>
        {
            // Without them it is an ordinary snapshot, with wrong ones too.
            Assert.IsType<PreparedSnapshot.Active>(await snapshotter.PrepareAsync("k0", "", Labels(Chain), default));
            Assert.IsType<PreparedSnapshot.Active>(await snapshotter.PrepareAsync("k1", "", Labels(
                Chain, (SnapshotLabels.PullUsername, Username), (SnapshotLabels.PullSecret, "wrong-" + Password)), default));
            Assert.IsType<PreparedSnapshot.Committed>(await snapshotter.PrepareAsync(
                "k2", "", Labels(Chain, (SnapshotLabels.PullUsername, Username), (SnapshotLabels.PullSecret, Password)), default));

            snapshotter.Update(Chain, Labels(Chain, (SnapshotLabels.PullSecret, Password)), [$"labels.{SnapshotLabels.PullSecret}"]);
            Assert.DoesNotContain(snapshotter.List([]).SelectMany(s => s.Labels), l =>
                SnapshotLabels.IsSecret(l.Key) || l.Value.Contains(Password, StringComparison.Ordinal));
            Assert.Equal(["k0", "k1", Chain], snapshotter.List([]).Select(s => s.Name).Order());
        });

        AssertNothingKept(Password);
        var shown = _registry.Requests.Where(r => r.Authorization?.StartsWith("Basic ", StringComparison.Ordinal) == true)
            .Select(r => r.Kind).Distinct();
        Assert.Equal([mode == TestAuthMode.Bearer ? TestRequestKind.Token : TestRequestKind.Blob], shown);
    }

    [Fact]
    public async Task A_secret_without_a_name_is_an_identity_token()
    {
        await StartRegistryAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer, Username = Username, Password = Password,
            IdentityToken = "identity-4711" });
        await WithSnapshotterAsync(async snapshotter => Assert.IsType<PreparedSnapshot.Committed>(
            await snapshotter.PrepareAsync("k", "", Labels(Chain, (SnapshotLabels.PullSecret, "identity-4711")), default)));
        AssertNothingKept("identity-4711");
        Assert.Contains("identity-4711", _registry.Requests.Single(r => r.Kind == TestRequestKind.Token).Form, StringComparison.Ordinal);
    }

    // What the layer makes of nothing.
    private static string Chain => TestClaims.Of(Blob).Chain;

    private async Task StartRegistryAsync(TestRegistryOptions options)
    {
        _registry = await TestRegistry.StartAsync(options);
        _layer = _registry.Content.AddBlob(Repository, Blob);
    }

    private async Task WithSnapshotterAsync(Func<Snapshotter, Task> use)
    {
        using var client = new RegistryClient(
            new RegistryOptions { RetryLimit = 0, DockerConfigPath = _directory.Combine("none.json") }, _log.CreateLogger("registry"));
        var indexes = new LayerIndexStore(_directory.Path);
        using var blobs = BlobStore.Open(_directory.Path);
        using var build = new StreamedIndexSource(client, indexes, blobs, 1, _log);
        await using var catalog = new LayerCatalog(
            indexes, blobs, client, new SpanCache(), new LayerCatalogOptions { Sources = [build] }, _log);
        using var database = MetadataDatabase.Open(_directory.Combine("metadata.db"));
        using var mounter = new LayerMounter(_directory.Combine("layers"), catalog, new SlotStore(database), _log);
        await using var snapshotter = new Snapshotter(_directory.Path, database, mounter, images: null, _log.CreateLogger<Snapshotter>());
        await use(snapshotter);
    }

    private Dictionary<string, string> Labels(string target, params (string Key, string Value)[] more)
    {
        var labels = new Dictionary<string, string>
        {
            [SnapshotLabels.SnapshotRef] = target,
            [SnapshotLabels.ImageReference] = _registry.Reference(Repository).ToString(),
            [SnapshotLabels.LayerDigest] = _layer.Digest.ToString(),
        };
        foreach (var (key, value) in more)
            labels[key] = value;
        return labels;
    }

    private void AssertNothingKept(string secret)
    {
        Assert.NotEmpty(_log.Lines);
        foreach (var line in _log.Lines)
            Assert.DoesNotContain(secret, line, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_directory.Path, "*", SearchOption.AllDirectories))
            Assert.False(File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0, $"{file} holds the secret");
    }
}
