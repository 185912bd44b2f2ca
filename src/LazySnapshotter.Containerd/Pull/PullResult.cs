using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// What a pull came to.
/// <param name="ImageName">The image's name in containerd: what <c>ctr run</c> is given.</param>
/// <param name="Target">What the reference stands for: an index or a manifest.</param>
/// <param name="Layers">How each layer ended, lowest first.</param>
/// <param name="BytesFetched">Documents and layers moved by this pull; what a lazy layer's reads move is the daemon's.</param>
public sealed record PullResult(
    string ImageName, Digest Target, Digest Manifest, IReadOnlyList<LayerState> Layers, long BytesFetched, TimeSpan Elapsed)
{
    public int LayersPresent => Layers.Count(state => state == LayerState.Present);

    public int LayersLazy => Layers.Count(state => state == LayerState.Lazy);

    public int LayersUnpacked => Layers.Count(state => state == LayerState.Unpacked);
}
