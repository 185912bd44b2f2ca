using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// What a person may decide about a pull.
public sealed record PullOptions
{
    public const string DefaultSnapshotter = "lazysnap";

    /// <summary>As named in containerd's configuration.</summary>
    public string Snapshotter { get; init; } = DefaultSnapshotter;

    /// <summary>
    /// Whose image of an index is meant, and what an image must be for. Null: this machine's; an image that is there for one platform
    /// alone is then pulled whatever that is, as containerd does.
    /// </summary>
    public Platform? Platform { get; init; }

    /// <summary>Layers downloaded at a time, of those that are downloaded at all (containerd's default is the same).</summary>
    public int DownloadsMax { get; init; } = 3;
}
