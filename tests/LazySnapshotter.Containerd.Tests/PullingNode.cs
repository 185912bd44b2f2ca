using System.Collections.Concurrent;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using LazySnapshotter.Mounts;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Node.Composition;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Processes;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Containerd.Tests;

// The daemon's own parts from Prepare down, with all sources of indexes, pulled through as containerd does it: layer after
// layer, and what is not served lazily is committed as if it had been unpacked.
internal sealed class PullingNode : IAsyncDisposable
{
    public const string Repository = "test/image";

    private static readonly ConcurrentDictionary<Digest, Digest> _diffIds = new(); // of the layers made here

    private readonly TestDirectory _directory = TestDirectory.Create();
    private readonly NodeStorage _storage;
    private readonly MetadataDatabase _database;
    private readonly LayerMounter _mounter;
    private readonly Snapshotter _snapshotter;
    private int _pulls;

    /// <param name="hosts">Content of a hosts.toml for every registry; null for none.</param>
    public PullingNode(RequestSection? requests = null, string? hosts = null)
    {
        if (hosts is not null)
        {
            Directory.CreateDirectory(_directory.Combine("certs.d", "_default"));
            File.WriteAllText(_directory.Combine("certs.d", "_default", "hosts.toml"), hosts);
        }

        var options = new DaemonOptions
        {
            Root = _directory.Combine("root"),
            Registry = new()
            {
                HostsDirectory = _directory.Combine("certs.d"),
                DockerConfig = _directory.Combine("none.json"),
                Requests = requests ?? new(),
            },
        };
        _storage = NodeStorage.Open(options, Log);
        _database = MetadataDatabase.Open(_directory.Combine("root", "metadata.db"));
        var deadline = TimeSpan.FromSeconds(options.Registry.Requests.DecisionDeadline);
        _mounter = new LayerMounter(_directory.Combine("layers"), _storage.Catalog, new SlotStore(_database), Log, deadline);
        _snapshotter = new Snapshotter(options.Root, _database, _mounter, images: null, new Logger<Snapshotter>(Log));
    }

    public CapturedLogs Log { get; } = new();

    public NodeStorage Storage => _storage;

    /// <summary>Blobs that differ.</summary>
    public static IReadOnlyList<byte[]> Layers(int count) => [.. Enumerable.Range(0, count).Select(LayerOf)];

    /// <returns>How many layers were served lazily, and how long that took to be told.</returns>
    public async Task<(int Lazy, TimeSpan Waited)> PullAsync(string host, Digest manifest, IReadOnlyList<Digest> layers)
    {
        var (lazy, parent, waited) = (0, "", TimeSpan.Zero);
        Digest? below = null;
        _pulls++;
        for (var i = 0; i < layers.Count; i++)
        {
            below = ChainId.Of(below, _diffIds.GetValueOrDefault(layers[i], layers[i]));
            var (key, chain) = ($"extract {_pulls} {i}", below.Value.ToString());
            var name = $"test/{_pulls}/{chain}"; // as containerd's metadata store names what it commits
            var labels = new Dictionary<string, string>
            {
                [SnapshotLabels.SnapshotRef] = chain,
                [SnapshotLabels.ImageReference] = $"{host}/{Repository}:latest",
                [SnapshotLabels.ManifestDigest] = manifest.ToString(),
                [SnapshotLabels.LayerDigest] = layers[i].ToString(),
                [SnapshotLabels.ImageLayers] = string.Join(',', layers.Skip(i)),
            };
            var started = Stopwatch.GetTimestamp();
            var prepared = await _snapshotter.PrepareAsync(key, parent, labels, CancellationToken.None);
            waited += Stopwatch.GetElapsedTime(started);
            if (prepared is PreparedSnapshot.Committed)
            {
                lazy++;
                parent = chain;
            }
            else
            {
                _snapshotter.Commit(name, key, "", new Dictionary<string, string>(), CancellationToken.None);
                parent = name;
            }
        }

        return (lazy, waited);
    }

    public async ValueTask DisposeAsync()
    {
        await _snapshotter.DisposeAsync();
        _mounter.Dispose();
        await _storage.DisposeAsync();
        _database.Dispose();
        await _directory.DisposeAsync();
    }

    private static byte[] LayerOf(int number)
    {
        using var tar = new MemoryStream();
        using (var gzip = new GZipStream(tar, CompressionLevel.Optimal, leaveOpen: true))
        using (var writer = new TarWriter(gzip, TarEntryFormat.Pax))
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"file{number}") { DataStream = new MemoryStream([(byte)number]) });
        var blob = tar.ToArray();
        using var unpacked = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
        _diffIds[Digest.OfSha256(blob)] = Digest.FromSha256(SHA256.HashData(unpacked));
        return blob;
    }
}
