namespace LazySnapshotter.Snapshots.Model;

// Labels that mean something to us. The cri.* ones come from containerd's CRI plugin, its transfer service and nerdctl
// alike (containerd, pkg/snapshotters/annotations.go).
public static class SnapshotLabels
{
    /// <summary>The name the client wants to find the committed snapshot under: the chain ID of the layers.</summary>
    public const string SnapshotRef = "containerd.io/snapshot.ref";

    public const string ImageReference = "containerd.io/snapshot/cri.image-ref";
    public const string ManifestDigest = "containerd.io/snapshot/cri.manifest-digest";
    public const string LayerDigest = "containerd.io/snapshot/cri.layer-digest";

    /// <summary>
    /// Bytes of the layer as the image's manifest has it, which containerd compares when it fetches a layer. Only our own pull says it.
    /// </summary>
    public const string LayerSize = "containerd.io/snapshot/lazysnap.layer-size";

    /// <summary>This layer's digest and those above it, comma-separated, cut where the label would get too long.</summary>
    public const string ImageLayers = "containerd.io/snapshot/cri.image-layers";

    /// <summary>Set by us on what is served lazily, with the value soci and stargz use.</summary>
    public const string Remote = "containerd.io/snapshot/remote";

    public const string RemoteValue = "remote snapshot";

    /// <summary>
    /// Name and secret for the image's repository, under the names nydus gave them. Without a name the secret is an identity token.
    /// </summary>
    public const string PullUsername = "containerd.io/snapshot/pullusername";

    public const string PullSecret = "containerd.io/snapshot/pullsecret";

    /// <summary>Labels whose values are never stored, and so never seen again.</summary>
    public static bool IsSecret(string key) => key is PullUsername or PullSecret;
}
