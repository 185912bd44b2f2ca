using System.Globalization;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// The labels by which a document in the content store keeps what it refers to (core/images, ChildGCLabels): an index its
// manifests as m.0, m.1 ..., a manifest its configuration and its layers l.0, l.1 ... containerd sets them for children that
// are not there as well; a blob that comes later is then kept at once.
internal static class GcLabels
{
    public static Dictionary<string, string> ForChildren(IEnumerable<Descriptor> children)
    {
        var labels = new Dictionary<string, string>();
        var counts = new Dictionary<string, int>();
        foreach (var child in children)
        {
            var key = ContainerdLabels.GcContentPrefix + child.MediaType switch
            {
                MediaTypes.OciConfig or MediaTypes.DockerConfig => "config",
                var type when MediaTypes.IsManifest(type) => "m.",
                var type when MediaTypes.IsImageLayer(type) => "l.",
                _ => "",
            };
            var number = counts.GetValueOrDefault(key);
            counts[key] = number + 1;
            // "config" stands alone the first time; every other kind is numbered from 0.
            var numbered = number > 0 || key.EndsWith('.') ? key + number.ToString(CultureInfo.InvariantCulture) : key;
            labels[numbered] = child.Digest.ToString();
        }

        return labels;
    }
}
