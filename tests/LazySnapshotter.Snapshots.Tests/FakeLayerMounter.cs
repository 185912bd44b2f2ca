using System.Collections.Concurrent;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Snapshots.Tests;

// A mounter whose layers are real directories, made at once: what it keeps and what it was told can be looked at.
internal sealed class FakeLayerMounter(string root) : ILayerMounter
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, long> _ids = [];
    private long _lastId;

    public const long LayerBytes = 4711;

    public ConcurrentQueue<RemoteImage> Announced { get; } = new();

    public ConcurrentQueue<(Digest Layer, IReadOnlyList<string> Lower)> Mounted { get; } = new();

    public ConcurrentQueue<long> Released { get; } = new();

    /// <summary>Runs before a layer is made; throw to refuse it.</summary>
    public Func<Digest, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Runs when the layer is there and before its id is returned.</summary>
    public Func<long, Task> After { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyCollection<long> Kept
    {
        get
        {
            lock (_gate)
                return [.. _ids.Values];
        }
    }

    public void Announce(RemoteImage image) => Announced.Enqueue(image);

    public async Task<MountedLayer> MountAsync(RemoteImage image, Digest layer, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken)
    {
        await Before(layer, cancellationToken);
        Mounted.Enqueue((layer, lowerDirectories));
        long id;
        lock (_gate)
        {
            if (!_ids.TryGetValue(layer, out id))
                _ids.Add(layer, id = ++_lastId);
            Directory.CreateDirectory(DirectoryOf(id));
        }

        await After(id);
        return new MountedLayer(id, DirectoryOf(id), LayerBytes);
    }

    public string DirectoryOf(long layerId) => Path.Combine(root, $"{layerId}");

    public LayerUsage UsageOf(long layerId) => new(layerId * 1000, layerId);

    public Task ReleaseAsync(long layerId, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Released.Enqueue(layerId);
            if (!_ids.Remove(_ids.Single(pair => pair.Value == layerId).Key))
                throw new InvalidOperationException($"layer {layerId} is not there");
            Directory.Delete(DirectoryOf(layerId), recursive: true);
        }

        return Task.CompletedTask;
    }
}
