using System.Diagnostics;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Containerd.Pull;

// Pulls an image into containerd without its layers: index, manifest and configuration go into the content store, the
// layers become snapshots of a snapshotter that (for lazysnap) serves them from the registry. Layers it does not serve are
// downloaded and unpacked by containerd. Everything happens under a lease; the image's name comes last, so an image that
// can be seen is complete. Pulling again repairs what is missing and moves the name to what the tag now stands for.
public sealed class ImagePull(ContainerdClient containerd, RegistryClient registry, PullOptions options)
{
    // If this process dies, containerd drops the lease after this; containerd's own client says the same.
    private static readonly TimeSpan LeaseExpiry = TimeSpan.FromHours(24);

    /// <exception cref="PullException">The image, the platform or the snapshotter is not one this can be done with.</exception>
    /// <exception cref="ContainerdUnreachableException">Nobody answers on containerd's socket.</exception>
    /// <exception cref="RegistryException">The registry does not give what is asked for.</exception>
    /// <exception cref="InvalidDataException">The registry's documents or blobs are not what they should be; the message names the
    /// digest.</exception>
    public async Task<PullResult> RunAsync(ImageReference reference, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var plugin = await FindSnapshotterAsync(cancellationToken);

        progress?.Report(new PullProgress.Resolving(reference));
        var image = await PullImage.ResolveAsync(registry, reference, options.Platform, cancellationToken);
        var bytesFetched = image.DocumentBytes;

        await containerd.Namespaces.EnsureAsync(cancellationToken);
        await using var lease = await containerd.LeaseAsync(LeaseExpiry, cancellationToken);
        var content = new ImageContent(lease.Content, reference);
        await content.StoreAsync(image, cancellationToken);
        progress?.Report(new PullProgress.Resolved(image.ManifestDigest, image.Layers));

        IReadOnlyList<LayerState> layers;
        await using (var downloads = new LayerDownloads(
            lease.Content, content, layer => registry.OpenBlob(reference, layer), options.DownloadsMax,
            (digest, bytes) => ReportDownload(image, digest, bytes, progress), cancellationToken))
        {
            var unpack = new ImageUnpack(containerd, lease, plugin, image, downloads,
                (index, state) => progress?.Report(new PullProgress.Layer(index, image.Layers[index], state, BytesDone: 0)));
            layers = await unpack.RunAsync(cancellationToken);
            bytesFetched += downloads.BytesFetched;
        }

        if (image.ChainIds.Count > 0)
        {
            // From here on the image keeps its snapshots: name -> index -> manifest -> configuration -> topmost snapshot.
            await lease.Content.SetLabelsAsync(image.Config.Descriptor.Digest, new Dictionary<string, string>
            {
                [ContainerdLabels.GcSnapshotPrefix + plugin.Name] = image.ChainIds[^1].ToString(),
            }, cancellationToken);
        }

        var target = image.Resolved.Root.Descriptor;
        await containerd.Images.SetAsync(image.Name, target, cancellationToken);
        return new PullResult(image.Name, target.Digest, image.ManifestDigest, layers, bytesFetched, Stopwatch.GetElapsedTime(started));
    }

    private async Task<SnapshotterPlugin> FindSnapshotterAsync(CancellationToken cancellationToken)
    {
        var plugins = await containerd.Introspection.SnapshottersAsync(cancellationToken);
        var plugin = plugins.FirstOrDefault(each => each.Name == options.Snapshotter)
            ?? throw new PullException(
                $"containerd on {containerd.Address} has no snapshotter \"{options.Snapshotter}\". "
                + $"It has: {string.Join(", ", plugins.Where(each => each.InitError is null).Select(each => each.Name))}. "
                + $"A proxy plugin needs a section [proxy_plugins.{options.Snapshotter}] in containerd's config.toml, and containerd a " +
                    $"restart.");
        return plugin.InitError is null
            ? plugin
            : throw new PullException(
                $"snapshotter \"{plugin.Name}\" of containerd on {containerd.Address} did not start: {plugin.InitError}");
    }

    private static void ReportDownload(PullImage image, Digest digest, long bytes, IProgress<PullProgress>? progress)
    {
        for (var i = 0; progress is not null && i < image.Layers.Count; i++)
        {
            if (image.Layers[i].Digest == digest)
                progress.Report(new PullProgress.Layer(i, image.Layers[i], LayerState.Downloading, bytes));
        }
    }
}
