using LazySnapshotter.Oci;

namespace LazySnapshotter.Snapshots.Model;

// The seam between snapshot lifecycle and lazy layers: who manages snapshots asks here for a directory that shows a
// layer's content, without knowing how it comes about (FUSE, HTTP).
//
// A pull, as seen from here: containerd prepares the lowest layer of an image with the image's reference and the
// digests of all its layers in the labels. Announce lets all of them be resolved in parallel. MountAsync then
// returns the directory of each as it is asked for, lowest first; the snapshot is committed on the spot and refers
// to the layer by its MountedLayer.Id for ever after. If a layer cannot be had lazily, LayerUnavailableException says
// why and containerd unpacks it the ordinary way.
//
// A restart: ids of committed snapshots are handed to DirectoryOf; no network is needed for that.
public interface ILayerMounter
{
    /// <summary>Starts work on every layer of an image; returns at once. Failures show up in MountAsync.</summary>
    void Announce(RemoteImage image);

    /// <summary>Makes one layer available as a directory, for the image that asks.</summary>
    /// <param name="claim">What the image says of the layer. One that is known to be false is refused.</param>
    /// <param name="lowerDirectories">
    /// The directories this layer will lie on, nearest first. A directory that the layer's tar does not mention takes
    /// its owner, mode and time from there, as containerd's unpacking does.
    /// </param>
    /// <exception cref="LayerUnavailableException">The layer cannot be served lazily; containerd should unpack it.</exception>
    Task<MountedLayer> MountAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken);

    /// <summary>The same, by nothing but what was made of the layer's whole blob or compared with it.</summary>
    /// <inheritdoc cref="MountAsync"/>
    Task<MountedLayer> MountVerifiedAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken);

    /// <summary>
    /// What the layer shows was made of its whole blob, or compared with it, and can be read: any image may stand on it. Never waits.
    /// </summary>
    bool IsVerified(long layerId);

    /// <summary>
    /// Finds out whether images may stand on a layer that is not verified: they may if the repository of each published the
    /// index it is shown by, or if the comparison with the whole blob, which is made then, finds it right.
    /// </summary>
    /// <param name="images">None: not known, so only the comparison counts.</param>
    /// <returns>
    /// Null if they may; otherwise what is wrong, why it could not be found out, or that the index is of another version of the format.
    /// </returns>
    Task<string?> AdmitAsync(long layerId, IReadOnlyList<RemoteImage> images, CancellationToken cancellationToken);

    /// <summary>The layers of an image as its manifest lists them, lowest first.</summary>
    /// <exception cref="LayerUnavailableException">The manifest cannot be had.</exception>
    Task<IReadOnlyList<Digest>> LayersOfAsync(RemoteImage image, CancellationToken cancellationToken);

    /// <summary>The directory of a layer mounted earlier, in this process or one before it. Never waits.</summary>
    string DirectoryOf(long layerId);

    /// <summary>Bytes and inodes this layer takes on the node's disk now.</summary>
    LayerUsage UsageOf(long layerId);

    /// <summary>No snapshot refers to the layer any more: its directory and its bytes may go.</summary>
    Task ReleaseAsync(long layerId, CancellationToken cancellationToken);
}

/// <summary>An image as containerd's labels name it.</summary>
/// <param name="Reference">As containerd gives it, for example <c>docker.io/library/python:3.12</c>.</param>
/// <param name="ManifestDigest">The platform's manifest, where the client said.</param>
/// <param name="Layers">Layers known to belong to it, lowest first; possibly cut short by the label length limit.</param>
public sealed record RemoteImage(string Reference, Digest? ManifestDigest, IReadOnlyList<Digest> Layers)
{
    /// <summary>What the client wants the image's repository to be shown; null where it handed nothing over.</summary>
    public PullCredentials? Credentials { get; init; }
}

// A name and a secret on their way from a label to the registry: in memory, and in nothing that is printed.
/// <param name="username">Empty: the secret is an identity token.</param>
public sealed class PullCredentials(string username, string secret)
{
    public string Username { get; } = username;

    public string Secret { get; } = secret;
}

/// <param name="Id">Names the layer (and the index it is read by) for ever; never reused.</param>
public sealed record MountedLayer(long Id, string Directory);

public readonly record struct LayerUsage(long Bytes, long Inodes);

/// <summary>A layer cannot be served lazily. The message names the layer's digest and the reason.</summary>
public sealed class LayerUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>The reason is the whole image's, and the mounter has said it already.</summary>
    public bool IsTold { get; init; }
}
