namespace LazySnapshotter.Snapshots.Model;

// containerd's kinds, numbered as in its API.
public enum SnapshotKind
{
    /// <summary>Read-only, for looking at a committed snapshot.</summary>
    View = 1,

    /// <summary>Writable: a container's own layer, or a layer being unpacked.</summary>
    Active = 2,

    /// <summary>Immutable: a layer. Only these can be parents.</summary>
    Committed = 3,
}

/// <param name="Name">The key of a view or an active snapshot, the name of a committed one.</param>
/// <param name="Parent">Empty where there is none.</param>
public sealed record SnapshotInfo(
    string Name,
    string Parent,
    SnapshotKind Kind,
    DateTimeOffset Created,
    DateTimeOffset Updated,
    IReadOnlyDictionary<string, string> Labels);

public readonly record struct SnapshotUsage(long Bytes, long Inodes);

/// <summary>Arguments of mount(2), options in fstab's spelling, as containerd takes them.</summary>
public sealed record SnapshotMount(string Type, string Source, IReadOnlyList<string> Options);
