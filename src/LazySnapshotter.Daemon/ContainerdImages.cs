using System.Collections.Concurrent;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Daemon.Log;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon;

// Which of containerd's images have a chain ID, in all of its namespaces: from its image store, and from the manifests and
// configurations in its content store. What those say never changes, so each is read once.
public sealed class ContainerdImages(string address, ILogger<ContainerdImages> logger) : ISnapshotImages, IDisposable
{
    // A node keeps some hundred images; what is dropped is read again.
    private const int RememberedMax = 4096;

    private readonly Lazy<ContainerdClient> _containerd = new(() => new ContainerdClient(address));
    private readonly ConcurrentDictionary<Digest, IReadOnlyList<string>> _chains = new(); // by manifest
    private readonly ConcurrentDictionary<Digest, IReadOnlyList<Descriptor>> _manifests = new(); // by index

    public async Task<IReadOnlyList<RemoteImage>?> FindAsync(string chain, CancellationToken cancellationToken)
    {
        try
        {
            var found = new List<(string Name, Digest Manifest)>();
            foreach (var name in await _containerd.Value.Namespaces.ListAsync(cancellationToken))
            {
                var containerd = _containerd.Value.In(name);
                foreach (var image in await containerd.Images.ListAsync(cancellationToken))
                    await AddAsync(containerd, image.Name, image.Target, chain, found, cancellationToken);
            }

            return Named(found);
        }
        catch (Exception e) when (e is ContainerdException or ContainerdUnreachableException or IOException)
        {
            DaemonLog.ImagesUnknown(logger, address, e.Message);
            return null;
        }
    }

    public void Dispose()
    {
        if (_containerd.IsValueCreated)
            _containerd.Value.Dispose();
    }

    // CRI gives each image a second name, the digest of its configuration, which says nothing of where it is from. Alone it
    // stands for an image of which that is not known.
    private static List<RemoteImage> Named(List<(string Name, Digest Manifest)> found)
    {
        var named = found.Where(image => image.Name.Length > 0 && !Digest.TryParse(image.Name, out _)).ToList();
        var nameless = found.Select(image => image.Manifest).Except(named.Select(image => image.Manifest));
        return [.. named.Concat(nameless.Select(manifest => (Name: "", Manifest: manifest)))
            .Select(image => new RemoteImage(image.Name, image.Manifest, []))];
    }

    private async Task AddAsync(
        ContainerdClient containerd, string name, Descriptor target, string chain, List<(string Name, Digest Manifest)> found,
        CancellationToken cancellationToken)
    {
        try
        {
            foreach (var manifest in await ManifestsOfAsync(containerd, target, depth: 0, cancellationToken))
            {
                if ((await ChainsOfAsync(containerd, manifest, cancellationToken)).Contains(chain))
                    found.Add((name, manifest.Digest));
            }
        }
        catch (InvalidDataException e)
        {
            // containerd may understand what we do not: any chain ID may be this image's, and where it is from does not count.
            DaemonLog.ImageNotUnderstood(logger, name, e.Message);
            found.Add(("", target.Digest));
        }
    }

    private async Task<IReadOnlyList<Descriptor>> ManifestsOfAsync(
        ContainerdClient containerd, Descriptor target, int depth, CancellationToken cancellationToken)
    {
        if (!MediaTypes.IsIndex(target.MediaType))
            return [target];
        if (_manifests.TryGetValue(target.Digest, out var known))
            return known;
        if (depth == SourceLimits.IndexDepthMax)
            throw new InvalidDataException($"more than {SourceLimits.IndexDepthMax} indexes inside each other");
        if (await ReadAsync(containerd, target.Digest, SourceLimits.ManifestBytesMax, cancellationToken) is not { } bytes)
            return [];

        var manifests = new List<Descriptor>();
        foreach (var each in OciJson.ReadIndex(bytes, $"index {target.Digest}").Manifests)
            manifests.AddRange(await ManifestsOfAsync(containerd, each, depth + 1, cancellationToken));
        return Remember(_manifests, target.Digest, manifests);
    }

    // Of an index mostly one platform was pulled; the others may be later.
    private async Task<IReadOnlyList<string>> ChainsOfAsync(
        ContainerdClient containerd, Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (_chains.TryGetValue(descriptor.Digest, out var known))
            return known;
        if (await ReadAsync(containerd, descriptor.Digest, SourceLimits.ManifestBytesMax, cancellationToken) is not { } bytes)
            return [];
        var manifest = OciJson.ReadManifest(bytes, $"manifest {descriptor.Digest}");
        if (await ReadAsync(containerd, manifest.Config.Digest, SourceLimits.ConfigBytesMax, cancellationToken) is not { } configBytes)
            return [];
        var config = OciJson.ReadConfig(configBytes, $"configuration {manifest.Config.Digest}");
        return Remember(_chains, descriptor.Digest, [.. ChainId.ForEachLayer(config.RootFs.DiffIds).Select(id => id.ToString())]);
    }

    private static async Task<byte[]?> ReadAsync(
        ContainerdClient containerd, Digest digest, int lengthMax, CancellationToken cancellationToken)
    {
        if (await containerd.Content.FindAsync(digest, cancellationToken) is not { Size: > 0 } info)
            return null;
        if (info.Size > lengthMax)
            throw new InvalidDataException($"{digest}: a document of {info.Size} bytes, more than {lengthMax}");
        var content = new byte[info.Size];
        await using var stream = containerd.Content.OpenRead(digest, 0, info.Size, cancellationToken);
        await stream.ReadExactlyAsync(content, cancellationToken);
        return content;
    }

    private static IReadOnlyList<T> Remember<T>(ConcurrentDictionary<Digest, IReadOnlyList<T>> memory, Digest key, IReadOnlyList<T> value)
    {
        if (memory.Count >= RememberedMax)
            memory.Clear();
        return memory[key] = value;
    }
}
