namespace LazySnapshotter.Snapshots.Model;

// What Prepare came to. Either is a success: containerd's protocol for remote snapshots tells the second one with the status
// ALREADY_EXISTS, which is the service's business.
public abstract record PreparedSnapshot
{
    private PreparedSnapshot()
    {
    }

    /// <summary>A writable snapshot: how to mount it.</summary>
    public sealed record Active(IReadOnlyList<SnapshotMount> Mounts) : PreparedSnapshot;

    /// <summary>The layer is there, committed, and need not be unpacked. There is no snapshot with the key.</summary>
    /// <param name="Target">What the client looks for it by, in the label <c>containerd.io/snapshot.ref</c>.</param>
    public sealed record Committed(string Target) : PreparedSnapshot;
}
