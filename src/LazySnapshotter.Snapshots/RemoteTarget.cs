using System.Globalization;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots;

// A request to prepare a layer that may be served lazily, as the labels tell it: what the client wants to find
// afterwards, and where the layer comes from.
/// <param name="LayerBytes">What the image's manifest says of the layer; null where the client did not pass it on.</param>
internal sealed record RemoteTarget(string Name, RemoteImage Image, Digest Layer, long? LayerBytes)
{
    private const int LayerCountMax = 512;

    /// <returns>False where labels are missing or are not what they should be: then it is an ordinary request.</returns>
    public static bool TryParse(IReadOnlyDictionary<string, string> labels, out RemoteTarget? target)
    {
        target = null;
        if (!labels.TryGetValue(SnapshotLabels.SnapshotRef, out var name) || name.Length == 0
            || !labels.TryGetValue(SnapshotLabels.ImageReference, out var reference) || reference.Length == 0
            || !labels.TryGetValue(SnapshotLabels.LayerDigest, out var layerText) || !Digest.TryParse(layerText, out var layer))
            return false;

        Digest? manifest = labels.TryGetValue(SnapshotLabels.ManifestDigest, out var manifestText)
            && Digest.TryParse(manifestText, out var parsed)
            ? parsed
            : null;
        target = new RemoteTarget(name, new RemoteImage(
            reference, manifest, Layers(labels, layer)) { Credentials = Credentials(labels) }, layer, LayerBytesOf(labels));
        return true;
    }

    private static long? LayerBytesOf(IReadOnlyDictionary<string, string> labels) =>
        long.TryParse(labels.GetValueOrDefault(SnapshotLabels.LayerSize), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? bytes
            : null;

    private static PullCredentials? Credentials(IReadOnlyDictionary<string, string> labels) =>
        labels.GetValueOrDefault(SnapshotLabels.PullSecret) is { Length: > 0 } secret
            ? new PullCredentials(labels.GetValueOrDefault(SnapshotLabels.PullUsername, ""), secret)
            : null;

    private static List<Digest> Layers(IReadOnlyDictionary<string, string> labels, Digest layer)
    {
        var layers = new List<Digest>();
        foreach (var text in labels.GetValueOrDefault(SnapshotLabels.ImageLayers, "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (layers.Count < LayerCountMax && Digest.TryParse(text, out var digest))
                layers.Add(digest);
        }

        if (!layers.Contains(layer))
            layers.Insert(0, layer);
        return layers;
    }
}
