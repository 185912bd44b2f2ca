using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// What happens during a pull, for whoever shows it. Reported from several threads, one layer's events in order.
public abstract record PullProgress
{
    private PullProgress()
    {
    }

    /// <summary>The registry is being asked what the reference stands for.</summary>
    public sealed record Resolving(ImageReference Reference) : PullProgress;

    /// <summary>Manifest and configuration are in containerd; the layers follow, lowest first.</summary>
    public sealed record Resolved(Digest Manifest, IReadOnlyList<Descriptor> Layers) : PullProgress;

    /// <param name="Index">Into <see cref="Resolved.Layers"/>.</param>
    /// <param name="BytesDone">Of the layer's descriptor size; counts while it is downloaded.</param>
    public sealed record Layer(int Index, Descriptor Descriptor, LayerState State, long BytesDone) : PullProgress;
}

/// <summary>The last three are final.</summary>
public enum LayerState
{
    /// <summary>The snapshotter is making up its mind.</summary>
    Preparing,

    /// <summary>The snapshotter does not serve it lazily: the blob goes into containerd's content store.</summary>
    Downloading,

    /// <summary>containerd unpacks the blob into a snapshot.</summary>
    Unpacking,

    /// <summary>Its snapshot was there before.</summary>
    Present,

    /// <summary>The snapshotter serves it; nothing was downloaded here.</summary>
    Lazy,

    /// <summary>Downloaded and unpacked.</summary>
    Unpacked,
}
