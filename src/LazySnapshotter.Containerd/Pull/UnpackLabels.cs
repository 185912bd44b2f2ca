using System.Globalization;
using System.Text;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Containerd.Pull;

// The labels that tell a snapshotter which layer it is asked to prepare: those of containerd's unpacker
// (core/unpack/unpacker.go) and those by which remote snapshotters find the layer (pkg/snapshotters/annotations.go).
// "cri" is a name only; every client uses them.
internal static class UnpackLabels
{
    public const string DiffId = InheritedPrefix + "diff-id";
    public const string ParentChainId = InheritedPrefix + "parent-chain-id";

    // Labels, and annotations of a layer's descriptor, that containerd passes on to the snapshotter.
    private const string InheritedPrefix = "containerd.io/snapshot/";

    public static Dictionary<string, string> ForLayer(PullImage image, int index)
    {
        var layer = image.Layers[index];
        var labels = new Dictionary<string, string>();
        foreach (var (key, value) in layer.Annotations ?? new Dictionary<string, string>())
        {
            // An annotation comes with the image: one that containerd would refuse as a label must not stop the pull.
            if (key.StartsWith(InheritedPrefix, StringComparison.Ordinal) && ContainerdLabels.Fits(key, value))
                labels[key] = value;
        }

        labels[SnapshotLabels.SnapshotRef] = image.ChainIds[index].ToString();
        labels[DiffId] = image.DiffIds[index].ToString();
        if (index > 0)
            labels[ParentChainId] = image.ChainIds[index - 1].ToString();
        labels[SnapshotLabels.ImageReference] = image.Name;
        labels[SnapshotLabels.ManifestDigest] = image.ManifestDigest.ToString();
        labels[SnapshotLabels.LayerDigest] = layer.Digest.ToString();
        labels[SnapshotLabels.LayerSize] = layer.Size.ToString(CultureInfo.InvariantCulture);
        labels[SnapshotLabels.ImageLayers] = LayerList(image.Layers.Skip(index).Select(each => each.Digest));
        return labels;
    }

    /// <summary>As many digests as fit a label, comma-separated; leaving some out only costs parallelism.</summary>
    public static string LayerList(IEnumerable<Digest> layers)
    {
        var list = new StringBuilder();
        foreach (var layer in layers)
        {
            var item = list.Length == 0 ? layer.ToString() : "," + layer;
            if (SnapshotLabels.ImageLayers.Length + list.Length + item.Length > ContainerdLabels.LabelBytesMax)
                break;
            list.Append(item);
        }

        return list.ToString();
    }
}
