namespace LazySnapshotter.Snapshots.Metadata;

// Tables of the snapshot store. Times are nanoseconds since 1970, as in containerd's API.
internal static class SnapshotSchema
{
    public const string Component = "snapshots";

    // Only ever append: a script that was released has run somewhere.
    public static readonly string[] Migrations =
    [
        """
        CREATE TABLE snapshots (
            id          INTEGER PRIMARY KEY AUTOINCREMENT,
            name        TEXT NOT NULL UNIQUE,
            parent_id   INTEGER REFERENCES snapshots (id),
            kind        INTEGER NOT NULL,
            created_ns  INTEGER NOT NULL,
            updated_ns  INTEGER NOT NULL,
            usage_bytes INTEGER NOT NULL DEFAULT 0,
            inodes      INTEGER NOT NULL DEFAULT 0,
            layer_id    INTEGER
        );
        CREATE INDEX snapshots_by_parent ON snapshots (parent_id);
        CREATE INDEX snapshots_by_layer ON snapshots (layer_id) WHERE layer_id IS NOT NULL;
        CREATE TABLE snapshot_labels (
            snapshot_id INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
            key         TEXT NOT NULL,
            value       TEXT NOT NULL,
            PRIMARY KEY (snapshot_id, key)
        ) WITHOUT ROWID;
        CREATE INDEX snapshot_labels_by_value ON snapshot_labels (key, value);
        """,
    ];
}
