using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Copy;

// Reads a source's documents, from what is to be copied down through indexes to manifests, and across to what refers to
// them. Level by level, each level's documents at once. A registry decides what its documents contain, so depth and
// number are bounded.
internal sealed class CopyPlanner(RegistryClient client, ImageReference source, ImageCopyOptions options)
{
    // soci's index, version 2: not a referrer, but named by an annotation of the image manifest, and an entry of the image
    // index. Where only the manifest is copied it would stay behind.
    private const string LinkedIndexAnnotation = "com.amazon.soci.index-digest";

    private readonly Dictionary<Digest, CopyManifest> _known = [];
    private readonly List<Descriptor> _leftOut = [];
    private long _bytes;

    public async Task<CopyPlan> PlanAsync(ImageDocument root, CancellationToken cancellationToken)
    {
        var level = new List<Pending> { new(root.Descriptor, null, root.Content) };
        for (var depth = 0; level.Count > 0; depth++)
        {
            if (depth > RegistryLimits.CopyDepthMax)
                throw new InvalidDataException(
                    $"{source}: manifests that contain or refer to each other more than {RegistryLimits.CopyDepthMax} deep");
            if (_known.Count + level.Count > RegistryLimits.CopyManifestsMax)
                throw new InvalidDataException($"{source}: more than {RegistryLimits.CopyManifestsMax} manifests");
            var read = await ReadAsync(level, cancellationToken);
            foreach (var manifest in read)
                _known[manifest.Digest] = manifest;
            level = await NextLevelAsync(read, cancellationToken);
        }

        return new CopyPlan(_known[root.Descriptor.Digest], InOrder(root.Descriptor.Digest), _leftOut);
    }

    private async Task<IReadOnlyList<CopyManifest>> ReadAsync(List<Pending> level, CancellationToken cancellationToken)
    {
        var read = new CopyManifest?[level.Count];
        await options.ForAllAsync(
            Enumerable.Range(0, level.Count), async (i, ct) => read[i] = await ReadAsync(level[i], ct), cancellationToken);
        return [.. read.OfType<CopyManifest>()];
    }

    /// <returns>Null for an entry in a list of referrers that is wrong: clients keep such lists, and not all do it well.</returns>
    private async Task<CopyManifest?> ReadAsync(Pending pending, CancellationToken cancellationToken)
    {
        CopyManifest manifest;
        try
        {
            var content = pending.Content ?? await client.GetManifestAsync(source, pending.Descriptor, cancellationToken);
            if (Interlocked.Add(ref _bytes, content.Length) > RegistryLimits.CopyManifestBytesMax)
                throw new InvalidDataException($"{source}: its manifests have more than {RegistryLimits.CopyManifestBytesMax} bytes");
            manifest = Understand(new ImageDocument(pending.Descriptor, content));
        }
        catch (RegistryException e) when (pending.RefersTo is not null && e.Failure == RegistryFailure.NotFound)
        {
            LeaveOut(pending.Descriptor);
            return null;
        }

        if (pending.RefersTo is null || manifest.Subject == pending.RefersTo)
            return manifest;
        LeaveOut(pending.Descriptor);
        return null;
    }

    private async Task<List<Pending>> NextLevelAsync(IReadOnlyList<CopyManifest> read, CancellationToken cancellationToken)
    {
        var next = new Dictionary<Digest, Pending>();
        foreach (var child in read.SelectMany(m => m.Children))
            Add(child, null);

        var linked = new Descriptor?[read.Count];
        var referrers = new IReadOnlyList<Descriptor>[read.Count];
        await options.ForAllAsync(Enumerable.Range(0, read.Count), async (i, ct) =>
        {
            referrers[i] = options.Referrers ? await client.ListReferrersAsync(source, read[i].Digest, null, ct) : [];
            if (!options.Referrers || LinkedIndex(read[i]) is not { } digest)
                return;
            linked[i] = await client.FindManifestAsync(source with { Tag = null, Digest = digest }, ct);
            if (linked[i] is null)
                LeaveOut(new Descriptor { MediaType = MediaTypes.OciManifest, Digest = digest, Size = 0 });
        }, cancellationToken);
        for (var i = 0; i < read.Count; i++)
        {
            foreach (var referrer in referrers[i])
                Add(referrer, read[i].Digest);
            if (linked[i] is { } index)
                Add(index, null);
        }

        return [.. next.Values];

        void Add(Descriptor descriptor, Digest? refersTo)
        {
            if (!MediaTypes.IsManifest(descriptor.MediaType) && !MediaTypes.IsIndex(descriptor.MediaType))
                LeaveOut(descriptor);
            else if (!_known.ContainsKey(descriptor.Digest))
                next.TryAdd(descriptor.Digest, new Pending(descriptor, refersTo, null));
        }
    }

    private CopyManifest Understand(ImageDocument document)
    {
        var what = $"{source.Registry}/{source.Repository}@{document.Descriptor.Digest}";
        if (MediaTypes.IsIndex(document.Descriptor.MediaType))
        {
            var index = OciJson.ReadIndex(document.Content, what);
            return new CopyManifest(document, index.Manifests, [], index.Subject?.Digest);
        }

        var manifest = OciJson.ReadManifest(document.Content, what);
        var foreign = manifest.Layers.Where(l => MediaTypes.IsForeignLayer(l.MediaType)).ToList();
        foreign.ForEach(LeaveOut);
        return new CopyManifest(document, [], [manifest.Config, .. manifest.Layers.Except(foreign)], manifest.Subject?.Digest);
    }

    private void LeaveOut(Descriptor descriptor)
    {
        lock (_leftOut)
        {
            if (!_leftOut.Contains(descriptor))
                _leftOut.Add(descriptor);
        }
    }

    private static Digest? LinkedIndex(CopyManifest manifest)
    {
        if (!MediaTypes.IsManifest(manifest.Document.Descriptor.MediaType))
            return null;
        var annotations = OciJson.ReadManifest(manifest.Document.Content, "the manifest").Annotations;
        return Digest.TryParse(annotations?.GetValueOrDefault(LinkedIndexAnnotation), out var digest) ? digest : null;
    }

    private List<CopyManifest> InOrder(Digest root)
    {
        var order = new List<CopyManifest>(_known.Count);
        var placed = new HashSet<Digest>();
        Place(_known[root]);
        // A referrer's subject is read a level before it, so it stands before it here.
        foreach (var manifest in _known.Values)
            Place(manifest);
        return order;

        void Place(CopyManifest manifest)
        {
            if (!placed.Add(manifest.Digest))
                return;
            foreach (var child in manifest.Children)
            {
                if (_known.TryGetValue(child.Digest, out var known))
                    Place(known);
            }

            order.Add(manifest);
        }
    }

    private sealed record Pending(Descriptor Descriptor, Digest? RefersTo, byte[]? Content);
}
