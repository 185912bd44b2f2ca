using LazySnapshotter.Snapshots.Directories;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Snapshots;

// Sees to it that no image shows what another one only claims (docs/SECURITY.md). A committed snapshot is found by its chain
// ID, by every image that has this chain ID, while a lazy layer may stand on an index that only one image's repository
// vouches for. So before anything is built on such a layer, the images it is for are looked at: either each of their
// repositories published the same index, or the layer is compared with its whole blob first. One that turns out to be wrong
// is mounted anew, and what lies on it, from the blob that one of those images names; so is one whose index another version of
// this program made, in a format that this one does not read.
internal sealed class LayerAdmission(
    ILayerMounter mounter, SnapshotStore store, LayerReferences references, OverlayMounts mounts, ILogger logger)
    : IDisposable
{
    // One chain is put right at a time: it happens about never.
    private readonly SemaphoreSlim _remounting = new(1);

    /// <param name="parent">What is built on; empty for nothing.</param>
    /// <param name="images">For which images, lowest chain ID given; empty or null where that is not known. Asked only if it
    /// matters.</param>
    /// <exception cref="SnapshotStateException">A layer below is wrong, or could not be verified, and cannot be put right.</exception>
    public async Task AdmitAsync(
        string parent, Func<string, Task<IReadOnlyList<RemoteImage>?>> images, CancellationToken cancellationToken)
    {
        var chain = store.ContentsOfParent(parent);
        if (!chain.Any(IsUnverified))
            return;

        var users = await images(chain[0].Chain) ?? [];
        var verdicts = await Task.WhenAll(chain.Select(content =>
            IsUnverified(content) ? mounter.AdmitAsync(content.LayerId!.Value, users, cancellationToken) : Task.FromResult<string?>(null)));
        var lowest = Array.FindLastIndex(verdicts, verdict => verdict is not null);
        if (lowest < 0)
            return;

        SnapshotsLog.LayerRefused(logger, chain[lowest].Chain, verdicts[lowest]!);
        await _remounting.WaitAsync(cancellationToken);
        try
        {
            await RemountAsync(parent, lowest, users, verdicts[lowest]!, cancellationToken);
        }
        finally
        {
            _remounting.Release();
        }
    }

    public void Dispose() => _remounting.Dispose();

    private bool IsUnverified(SnapshotContent content) => content.LayerId is { } layer && !mounter.IsVerified(layer);

    // The first of the images whose own claims are true decides: the chain ID is the same for all of them.
    private async Task RemountAsync(
        string parent, int lowest, IReadOnlyList<RemoteImage> users, string verdict, CancellationToken cancellationToken)
    {
        var reasons = new List<string> { verdict };
        foreach (var image in users)
        {
            try
            {
                await RemountAsync(store.ContentsOfParent(parent), lowest, image, cancellationToken);
                return;
            }
            catch (LayerUnavailableException e)
            {
                reasons.Add($"{image.Reference}: {e.Message}");
            }
        }

        throw new SnapshotStateException(
            $"snapshot \"{parent}\" shows a layer that is not what it was said to be, and could not be put right "
            + $"({string.Join("; ", reasons)}); remove every image that uses it and pull again");
    }

    private async Task RemountAsync(
        IReadOnlyList<SnapshotContent> chain, int lowest, RemoteImage image, CancellationToken cancellationToken)
    {
        var layers = await mounter.LayersOfAsync(image, cancellationToken);
        for (var i = lowest; i >= 0; i--)
        {
            // What was unpacked above a wrong layer may lie where that layer's links led.
            if (chain[i].LayerId is not { } old)
                throw new LayerUnavailableException($"{chain[i].Chain} was unpacked on the wrong layer");
            var position = chain.Count - 1 - i;
            if (position >= layers.Count)
                throw new LayerUnavailableException($"it has {layers.Count} layers");

            var row = chain[i].Id;
            var claim = new LayerClaim(layers[position], i + 1 < chain.Count ? chain[i + 1].Chain : "", chain[i].Chain);
            var below = store.ContentsBelow(row).Select(mounts.DirectoryOf).ToList();
            await references.MountAndRecordAsync(
                () => mounter.MountVerifiedAsync(image, claim, below, cancellationToken), mounted => store.TrySetLayer(row, mounted.Id));
            await references.ReleaseIfUnusedAsync(old);
            SnapshotsLog.LayerRemounted(logger, chain[i].Chain, claim.Layer, image.Reference);
        }
    }
}
