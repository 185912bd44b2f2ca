using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Pull;

// What a person may decide about a pull.
public sealed record PullOptions
{
    public const string DefaultSnapshotter = "lazysnap";

    /// <summary>As named in containerd's configuration.</summary>
    public string Snapshotter { get; init; } = DefaultSnapshotter;

    public Platform Platform { get; init; } = Platform.Current;

    /// <summary>Layers downloaded at a time, of those that are downloaded at all (containerd's default is the same).</summary>
    public int DownloadsMax { get; init; } = 3;
}
