using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Metadata;

// A snapshot as it is stored: what a client sees, and what only we know of it.
/// <param name="Id">Names its directory; never reused.</param>
/// <param name="LayerId">The lazy layer whose directory stands for this snapshot's own, where it is remote.</param>
/// <param name="Usage">As it was at commit; not kept for the others.</param>
internal sealed record SnapshotRecord(long Id, long? ParentId, long? LayerId, SnapshotInfo Info, SnapshotUsage Usage);

// Where a snapshot's content lies: a directory of ours, or a lazy layer's.
/// <param name="Chain">The chain ID it stands for; some other name where a client does not name snapshots so.</param>
internal readonly record struct SnapshotContent(long Id, long? LayerId, string Chain);

// A snapshot and what it lies on, nearest first.
internal sealed record SnapshotChain(SnapshotRecord Snapshot, IReadOnlyList<SnapshotContent> Parents);
