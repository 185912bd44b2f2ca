using System.Text;

namespace LazySnapshotter.Containerd.Client;

// Labels containerd gives a meaning to (pkg/labels, core/images/mediatypes.go, core/metadata/gc.go).
public static class ContainerdLabels
{
    /// <summary>On a layer's blob: its diff ID, known once it was unpacked.</summary>
    public const string Uncompressed = "containerd.io/uncompressed";

    /// <summary>On a blob, followed by a host name: the repositories of that host the blob was pulled from, comma-separated.</summary>
    public const string DistributionSourcePrefix = "containerd.io/distribution.source.";

    /// <summary>On a blob: something else it keeps from garbage collection.</summary>
    public const string GcContentPrefix = "containerd.io/gc.ref.content.";

    /// <summary>On a blob, followed by a snapshotter's name: a snapshot it keeps.</summary>
    public const string GcSnapshotPrefix = "containerd.io/gc.ref.snapshot.";

    /// <summary>containerd refuses a label whose key and value together are longer, in bytes.</summary>
    public const int LabelBytesMax = 4096;

    public static bool Fits(string key, string value) =>
        Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value) <= LabelBytesMax;
}
