using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Containerd.Pull;

// Puts an image's documents into containerd's content store, labelled as containerd's own client labels them: what they
// keep from garbage collection, and which repository they come from. What is there already gets the labels it lacks.
internal sealed class ImageContent(ContentClient content, ImageReference reference)
{
    // containerd names the host without its port (core/remotes/docker/handler.go).
    private readonly string _sourceLabel = ContainerdLabels.DistributionSourcePrefix + HostWithoutPort(reference.Registry);

    public async Task StoreAsync(PullImage image, CancellationToken cancellationToken)
    {
        foreach (var document in image.Resolved.Documents)
        {
            var isIndex = MediaTypes.IsIndex(document.Descriptor.MediaType);
            IEnumerable<Descriptor> children = isIndex
                ? OciJson.ReadUsableIndex(document.Content, $"index {document.Descriptor.Digest} of {reference}").Manifests
                : [image.Resolved.Manifest.Config, .. image.Layers];
            await StoreAsync(isIndex ? "index-" : "manifest-", document, GcLabels.ForChildren(children), cancellationToken);
        }

        await StoreAsync("config-", image.Config, [], cancellationToken);
    }

    /// <summary>The label that says where a blob comes from, to be given to it at its commit.</summary>
    public Dictionary<string, string> SourceLabels() => new() { [_sourceLabel] = reference.Repository };

    /// <summary>Labels a blob that is there already; sources known before stay.</summary>
    public async Task AddLabelsAsync(Digest digest, Dictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var known = (await content.FindAsync(digest, cancellationToken))?.Labels ?? new Dictionary<string, string>();
        var sources = MergeSources(known.GetValueOrDefault(_sourceLabel, ""), reference.Repository);
        // A base layer of everything has more sources than a label holds; containerd leaves the newest out then.
        if (ContainerdLabels.Fits(_sourceLabel, sources))
            labels[_sourceLabel] = sources;

        var missing = labels.Where(label => known.GetValueOrDefault(label.Key) != label.Value).ToDictionary();
        if (missing.Count > 0)
            await content.SetLabelsAsync(digest, missing, cancellationToken);
    }

    /// <summary>Sorted, each once.</summary>
    public static string MergeSources(string known, string repository) =>
        string.Join(
            ',', known.Split(',', StringSplitOptions.RemoveEmptyEntries).Append(repository).Distinct().Order(StringComparer.Ordinal));

    private async Task StoreAsync(
        string ingestPrefix, ImageDocument document, Dictionary<string, string> labels, CancellationToken cancellationToken)
    {
        using (var writer = await content.OpenWriterAsync(
            ingestPrefix + document.Descriptor.Digest, document.Descriptor, cancellationToken))
        {
            if (writer is not null)
            {
                writer.Restart();
                await writer.WriteAsync(document.Content);
                await writer.CommitAsync(SourceLabels());
            }
        }

        await AddLabelsAsync(document.Descriptor.Digest, labels, cancellationToken);
    }

    private static string HostWithoutPort(string registry)
    {
        var colon = registry.LastIndexOf(':');
        return (colon > registry.LastIndexOf(']') ? registry[..colon] : registry).Trim('[', ']');
    }
}
