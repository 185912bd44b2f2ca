using System.Collections.Concurrent;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Tests;

// A mounter whose layers are real directories, made at once: what it keeps and what it was told can be looked at.
internal sealed class FakeLayerMounter(string root) : ILayerMounter
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, long> _ids = [];
    private long _lastId;

    public ConcurrentQueue<RemoteImage> Announced { get; } = new();

    public ConcurrentQueue<(Digest Layer, IReadOnlyList<string> Lower)> Mounted { get; } = new();

    /// <summary>What was claimed of the layers that were mounted.</summary>
    public ConcurrentQueue<LayerClaim> Claims { get; } = new();

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

    public async Task<MountedLayer> MountAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken)
    {
        var layer = claim.Layer;
        await Before(layer, cancellationToken);
        Claims.Enqueue(claim);
        Mounted.Enqueue((layer, lowerDirectories));
        long id;
        lock (_gate)
        {
            if (!_ids.TryGetValue(layer, out id))
                _ids.Add(layer, id = ++_lastId);
            Directory.CreateDirectory(DirectoryOf(id));
        }

        await After(id);
        return new MountedLayer(id, DirectoryOf(id));
    }

    /// <summary>Layers, by id, that no verified index stands behind.</summary>
    public ConcurrentDictionary<long, string> Unverified { get; } = new();

    /// <summary>What was asked for an unverified layer: for which images.</summary>
    public ConcurrentQueue<(long Layer, IReadOnlyList<RemoteImage> Images)> Admitted { get; } = new();

    /// <summary>What is said of an unverified layer; null if it may be shown.</summary>
    public Func<long, IReadOnlyList<RemoteImage>, string?> Admit { get; set; } = (_, _) => null;

    /// <summary>The layers of any image.</summary>
    public IReadOnlyList<Digest> Layers { get; set; } = [];

    public bool IsVerified(long layerId) => !Unverified.ContainsKey(layerId);

    public Task<MountedLayer> MountVerifiedAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken) =>
        MountAsync(image, claim, lowerDirectories, cancellationToken);

    public Task<string?> AdmitAsync(long layerId, IReadOnlyList<RemoteImage> images, CancellationToken cancellationToken)
    {
        Admitted.Enqueue((layerId, images));
        return Task.FromResult(Admit(layerId, images));
    }

    public Task<IReadOnlyList<Digest>> LayersOfAsync(RemoteImage image, CancellationToken cancellationToken) => Task.FromResult(Layers);

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
