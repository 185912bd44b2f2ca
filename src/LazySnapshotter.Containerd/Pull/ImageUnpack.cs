using System.Diagnostics;
using Containerd.Types;
using Grpc.Core;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// Turns an image's layers into snapshots, lowest first, as containerd's unpacker does (core/unpack/unpacker.go): the
// snapshotter is told which layer it is about and either has the snapshot at once (it answers AlreadyExists) or gives
// mounts, into which containerd unpacks the blob.
internal sealed class ImageUnpack(
    ContainerdClient containerd, ContainerdLease lease, SnapshotterPlugin plugin, PullImage image, LayerDownloads downloads,
    Action<int, LayerState> report)
{
    // AlreadyExists without a snapshot means that it was just removed, or that the key is taken.
    private const int PrepareTriesMax = 3;
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan AnswerPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan CleanupTimeout = TimeSpan.FromSeconds(30);

    private readonly SnapshotsClient _snapshots = lease.Snapshots(plugin.Name);

    /// <returns>How each layer ended.</returns>
    public async Task<IReadOnlyList<LayerState>> RunAsync(CancellationToken cancellationToken)
    {
        var states = new LayerState[image.Layers.Count];
        for (var i = 0; i < states.Length; i++)
        {
            try
            {
                states[i] = await UnpackAsync(i, cancellationToken);
            }
            catch (ContainerdException e)
            {
                throw new PullException(
                    $"layer {image.Layers[i].Digest} ({i + 1} of {states.Length}) with snapshotter {plugin.Name}: {Explain(e)}", e);
            }

            report(i, states[i]);
        }

        return states;
    }

    private async Task<LayerState> UnpackAsync(int index, CancellationToken cancellationToken)
    {
        report(index, LayerState.Preparing);
        var chainId = image.ChainIds[index].ToString();
        // Leased before it is looked for: a snapshot nobody refers to (left by a pull that failed) could be collected between.
        await lease.AddSnapshotAsync(plugin.Name, chainId, cancellationToken);
        if (await _snapshots.ExistsAsync(chainId, cancellationToken))
            return LayerState.Present;

        var parent = index == 0 ? "" : image.ChainIds[index - 1].ToString();
        var labels = UnpackLabels.ForLayer(image, index);
        for (var tries = 1; tries <= PrepareTriesMax; tries++)
        {
            var (key, prepared) = await PrepareAsync(image.ChainIds[index], parent, labels, cancellationToken);
            if (prepared is { } mounts)
                return await UnpackIntoAsync(index, key, mounts, labels, cancellationToken);
            if (await _snapshots.ExistsAsync(chainId, cancellationToken))
                return LayerState.Lazy;
        }

        throw new PullException(
            $"layer {image.Layers[index].Digest}: snapshotter {plugin.Name} says that snapshot {chainId} exists, but it does not");
    }

    // containerd gives a plugin that has just been started a second to say hello, and fails every call that reaches for it until
    // it dials again some seconds later. Only Prepare reaches for it for sure: what its own database can answer, containerd does.
    private async Task<(string Key, IReadOnlyList<Mount>? Mounts)> PrepareAsync(
        Digest chainId, string parent, Dictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                var key = UnpackKey.New(chainId);
                return (key, await _snapshots.PrepareAsync(key, parent, labels, cancellationToken));
            }
            catch (ContainerdException e) when (
                e.Status == StatusCode.Unavailable && plugin.ProxyAddress is not null && Stopwatch.GetElapsedTime(started) < AnswerPatience)
            {
                await Task.Delay(AnswerPause, cancellationToken);
            }
        }
    }

    private async Task<LayerState> UnpackIntoAsync(
        int index, string key, IReadOnlyList<Mount> mounts, Dictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var committed = false;
        try
        {
            var layer = image.Layers[index];
            report(index, LayerState.Downloading);
            var download = downloads.Start(layer);
            DownloadAhead(index + 1);
            await download;

            report(index, LayerState.Unpacking);
            var diffId = await containerd.Diff.ApplyAsync(layer, mounts, cancellationToken);
            if (diffId != image.DiffIds[index])
            {
                throw new PullException(
                    $"layer {layer.Digest} unpacks to {diffId}, but the image's configuration {image.Config.Descriptor.Digest} " +
                        $"says {image.DiffIds[index]}");
            }

            committed = await _snapshots.CommitAsync(image.ChainIds[index].ToString(), key, labels, cancellationToken);
            await lease.Content.SetLabelsAsync(
                layer.Digest, new Dictionary<string, string> { [ContainerdLabels.Uncompressed] = diffId.ToString() }, cancellationToken);
            return LayerState.Unpacked;
        }
        finally
        {
            if (!committed)
                await RemoveAsync(key);
        }
    }

    // While containerd unpacks one layer, the next ones come in: those that will surely be needed. A proxy plugin may serve the
    // rest lazily, so of its layers only those that nobody can serve lazily are sure.
    private void DownloadAhead(int from)
    {
        foreach (var layer in image.Layers.Skip(from))
        {
            if (plugin.ProxyAddress is null || !MediaTypes.IsLazyLayer(layer.MediaType))
                _ = downloads.Start(layer);
        }
    }

    private async Task RemoveAsync(string key)
    {
        using var timeout = new CancellationTokenSource(CleanupTimeout);
        try
        {
            await _snapshots.RemoveAsync(key, timeout.Token);
        }
        catch (Exception e) when (e is ContainerdException or ContainerdUnreachableException or OperationCanceledException)
        {
            // Without the lease the snapshot is garbage; why it was to be removed matters more.
        }
    }

    // containerd passes on that it could not dial a proxy plugin.
    private string Explain(ContainerdException e) => e.Status == StatusCode.Unavailable && plugin.ProxyAddress is { } address
        ? $"the snapshotter does not answer on {address} ({e.Message})"
        : e.Message;
}
