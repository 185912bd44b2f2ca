using System.Text;
using LazySnapshotter.Daemon.Containerd;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Pull;

// The labels that tell a snapshotter which layer it is asked to prepare: those of containerd's unpacker
// (core/unpack/unpacker.go) and those by which remote snapshotters find the layer (pkg/snapshotters/annotations.go).
// "cri" is a name only; every client uses them.
internal static class UnpackLabels
{
    public const string SnapshotRef = "containerd.io/snapshot.ref";
    public const string DiffId = InheritedPrefix + "diff-id";
    public const string ParentChainId = InheritedPrefix + "parent-chain-id";
    public const string ImageRef = InheritedPrefix + "cri.image-ref";
    public const string ManifestDigest = InheritedPrefix + "cri.manifest-digest";
    public const string LayerDigest = InheritedPrefix + "cri.layer-digest";
    public const string ImageLayers = InheritedPrefix + "cri.image-layers";

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

        labels[SnapshotRef] = image.ChainIds[index].ToString();
        labels[DiffId] = image.DiffIds[index].ToString();
        if (index > 0)
            labels[ParentChainId] = image.ChainIds[index - 1].ToString();
        labels[ImageRef] = image.Name;
        labels[ManifestDigest] = image.Manifest.Digest.ToString();
        labels[LayerDigest] = layer.Digest.ToString();
        labels[ImageLayers] = LayerList(image.Layers.Skip(index).Select(each => each.Digest));
        return labels;
    }

    /// <summary>As many digests as fit a label, comma-separated; leaving some out only costs parallelism.</summary>
    public static string LayerList(IEnumerable<Digest> layers)
    {
        var list = new StringBuilder();
        foreach (var layer in layers)
        {
            var item = list.Length == 0 ? layer.ToString() : "," + layer;
            if (ImageLayers.Length + list.Length + item.Length > ContainerdLabels.LabelBytesMax)
                break;
            list.Append(item);
        }

        return list.ToString();
    }
}
