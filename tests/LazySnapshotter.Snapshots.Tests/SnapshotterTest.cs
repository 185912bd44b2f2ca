using System.Collections.Concurrent;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Snapshots.Tests;

// A snapshotter on a directory of its own, which can be stopped and started again as a daemon is.
public abstract class SnapshotterTest : IAsyncLifetime
{
    protected static readonly Dictionary<string, string> NoLabels = [];

    private readonly LogLines _log = new();

    protected string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("snapshots-").FullName;

    protected string SnapshotsDirectory => Path.Combine(Directory, "snapshots");

    internal FakeLayerMounter Mounter { get; private set; } = null!;

    internal FakeImages Images { get; } = new();

    protected Snapshotter Snapshotter { get; private set; } = null!;

    internal IReadOnlyCollection<LogLine> Log => _log.Lines;

    private MetadataDatabase Database { get; set; } = null!;

    public Task InitializeAsync()
    {
        Mounter = new FakeLayerMounter(Path.Combine(Directory, "layers"));
        Start();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        LazySnapshotter.Linux.DirectoryTree.Delete(Directory, CancellationToken.None);
    }

    protected async Task StopAsync()
    {
        await Snapshotter.DisposeAsync();
        Database.Dispose();
    }

    protected void Start()
    {
        Database = MetadataDatabase.Open(Path.Combine(Directory, "metadata.db"));
        Snapshotter = new Snapshotter(Directory, Database, Mounter, Images, _log);
    }

    protected async Task RestartAsync()
    {
        await StopAsync();
        Start();
    }

    /// <summary>Prepares what turns out to be a snapshot to write into.</summary>
    protected async Task<IReadOnlyList<SnapshotMount>> PrepareAsync(
        string key, string parent = "", Dictionary<string, string>? labels = null, CancellationToken cancellationToken = default) =>
        Assert.IsType<PreparedSnapshot.Active>(
            await Snapshotter.PrepareAsync(key, parent, labels ?? NoLabels, cancellationToken)).Mounts;

    protected void Commit(string name, string key, Dictionary<string, string>? labels = null) =>
        Snapshotter.Commit(name, key, "", labels ?? NoLabels, CancellationToken.None);

    protected static Digest DigestOf(int number) => Digest.OfSha256(BitConverter.GetBytes(number));

    /// <summary>The labels containerd gives with a layer, and the name it will look for.</summary>
    protected static Dictionary<string, string> RemoteLabels(
        string target, Digest layer, string image = "registry.example/app:1", params Digest[] above) => new()
    {
        ["containerd.io/snapshot.ref"] = target,
        ["containerd.io/snapshot/cri.image-ref"] = image,
        ["containerd.io/snapshot/cri.layer-digest"] = layer.ToString(),
        ["containerd.io/snapshot/cri.manifest-digest"] = DigestOf(-1).ToString(),
        ["containerd.io/snapshot/cri.image-layers"] = string.Join(',', above.Prepend(layer)),
    };

    /// <summary>Prepares a layer that is served lazily and finds it as containerd's metadata store would.</summary>
    protected async Task<SnapshotInfo> PrepareRemoteAsync(string key, string parent, Dictionary<string, string> labels)
    {
        var target = labels["containerd.io/snapshot.ref"];
        Assert.Equal(
            new PreparedSnapshot.Committed(target), await Snapshotter.PrepareAsync(key, parent, labels, CancellationToken.None));
        var found = Snapshotter.List([$"labels.\"containerd.io/snapshot.ref\"=={target},parent==\"{parent}\""]);
        return Assert.Single(found, info => info.Kind == SnapshotKind.Committed);
    }

    internal sealed record LogLine(LogLevel Level, string Message, IReadOnlyDictionary<string, object?> Fields);

    private sealed class LogLines : ILogger<Snapshotter>
    {
        private readonly ConcurrentQueue<LogLine> _lines = new();

        public IReadOnlyCollection<LogLine> Lines => _lines;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue(new LogLine(
                logLevel, formatter(state, exception),
                (state as IEnumerable<KeyValuePair<string, object?>> ?? []).ToDictionary(pair => pair.Key, pair => pair.Value)));
    }
}
