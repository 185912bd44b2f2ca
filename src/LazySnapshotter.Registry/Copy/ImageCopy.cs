using System.Collections.Concurrent;
using System.Diagnostics;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Push;

namespace LazySnapshotter.Registry.Copy;

// Copies an image and the artifacts that refer to it from one repository to another, in the same registry or not, bytes and
// digests unchanged. First the blobs, largest first; a blob passes through without touching a disk, and where source and
// target are one registry it does not pass through us at all. Then the manifests, from the inside out, and the tag at the
// very end: whoever looks at the target in between sees the old image or nothing. What is there is not sent again, so a
// copy that broke off is continued by repeating it.
public sealed class ImageCopy(RegistryClient client, ImageCopyOptions options)
{
    /// <param name="target">Its tag is set; without a tag, its digest must be that of what is copied.</param>
    /// <exception cref="RegistryException">Something cannot be read or put.</exception>
    /// <exception cref="InvalidDataException">A document of the source cannot be understood, or has nothing for the platform.</exception>
    public async Task<ImageCopyResult> RunAsync(
        ImageReference source, ImageReference target, IProgress<ImageCopyProgress>? progress, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var root = options.Platform is { } platform
            ? (await client.ResolveAsync(source, platform, cancellationToken)).ManifestDocument
            : await client.GetManifestAsync(source, cancellationToken);
        if (target.Digest is { } wanted && wanted != root.Descriptor.Digest)
            throw new InvalidDataException($"{target}: {source} is {root.Descriptor.Digest}, which cannot be put under another digest");

        var plan = await new CopyPlanner(client, source, options).PlanAsync(root, cancellationToken);
        var present = await FindPresentAsync(plan, target, cancellationToken);
        var blobs = plan.InOrder.Where(m => !present.Contains(m.Digest)).SelectMany(m => m.Blobs).DistinctBy(b => b.Digest)
            .OrderByDescending(b => b.Size).ToList();
        progress?.Report(new ImageCopyProgress.Planned(root, plan.InOrder.Count, blobs));

        var tallies = await CopyBlobsAsync(blobs, source, target, progress, cancellationToken);
        await PutManifestsAsync(plan, present, target, cancellationToken);
        await SetTagAsync(root, target, cancellationToken);
        return new ImageCopyResult
        {
            Root = root.Descriptor,
            ManifestsCopied = plan.InOrder.Count - present.Count,
            ManifestsPresent = present.Count,
            Referrers = plan.InOrder.Count(m => m.Subject is not null),
            Uploaded = tallies.GetValueOrDefault(BlobPush.Uploaded),
            Mounted = tallies.GetValueOrDefault(BlobPush.Mounted),
            Present = tallies.GetValueOrDefault(BlobPush.Present),
            LeftOut = plan.LeftOut,
            Elapsed = Stopwatch.GetElapsedTime(started),
        };
    }

    // A registry that has a manifest took it only with everything in it.
    private async Task<HashSet<Digest>> FindPresentAsync(CopyPlan plan, ImageReference target, CancellationToken cancellationToken)
    {
        var present = new ConcurrentBag<Digest>();
        await options.ForAllAsync(plan.InOrder, async (manifest, ct) =>
        {
            if (await client.FindManifestAsync(
                target with { Tag = null, Digest = manifest.Digest }, EndpointCapabilities.Push, ct) is not null)
                present.Add(manifest.Digest);
        }, cancellationToken);
        return [.. present];
    }

    private async Task<Dictionary<BlobPush, ImageCopyResult.Tally>> CopyBlobsAsync(
        IReadOnlyList<Descriptor> blobs, ImageReference source, ImageReference target, IProgress<ImageCopyProgress>? progress,
        CancellationToken cancellationToken)
    {
        var tallies = new Dictionary<BlobPush, ImageCopyResult.Tally>();
        await options.ForAllAsync(blobs, async (blob, ct) =>
        {
            progress?.Report(new ImageCopyProgress.Blob(blob, 0, null));
            var content = BlobContent.OfRemote(client.OpenBlob(source, blob.Digest, blob.Size));
            var moving = progress is null ? null : new Moving(blob, progress);
            var end = await client.PushBlobAsync(target, content, source, moving, ct);
            progress?.Report(new ImageCopyProgress.Blob(blob, blob.Size, end));
            lock (tallies)
                tallies[end] = tallies.GetValueOrDefault(end).Plus(blob.Size);
        }, cancellationToken);
        return tallies;
    }

    private async Task PutManifestsAsync(CopyPlan plan, HashSet<Digest> present, ImageReference target, CancellationToken cancellationToken)
    {
        var listed = new Dictionary<Digest, HashSet<Digest>>();
        foreach (var manifest in plan.InOrder)
        {
            var (descriptor, content) = manifest.Document;
            if (manifest.Subject is null)
            {
                if (!present.Contains(manifest.Digest))
                    await client.PutManifestAsync(target, tag: null, descriptor.MediaType, content, cancellationToken);
            }
            else if (!present.Contains(manifest.Digest) || !await IsListedAsync(manifest.Subject.Value, manifest.Digest))
            {
                await client.PushReferrerAsync(target, descriptor.MediaType, content, cancellationToken);
            }
        }

        async Task<bool> IsListedAsync(Digest subject, Digest referrer)
        {
            if (!listed.TryGetValue(subject, out var referrers))
                listed[subject] = referrers = [.. (await client.ListReferrersAsync(
                    target, subject, null, EndpointCapabilities.Push, cancellationToken)).Select(d => d.Digest)];
            return referrers.Contains(referrer);
        }
    }

    private async Task SetTagAsync(ImageDocument root, ImageReference target, CancellationToken cancellationToken)
    {
        if (target.Tag is not { } tag)
            return;
        var current = await client.FindManifestAsync(target with { Digest = null }, EndpointCapabilities.Push, cancellationToken);
        if (current?.Digest != root.Descriptor.Digest)
            await client.PutManifestAsync(target, tag, root.Descriptor.MediaType, root.Content, cancellationToken);
    }

    private sealed class Moving(Descriptor blob, IProgress<ImageCopyProgress> progress) : IProgress<long>
    {
        public void Report(long value) => progress.Report(new ImageCopyProgress.Blob(blob, value, null));
    }
}
