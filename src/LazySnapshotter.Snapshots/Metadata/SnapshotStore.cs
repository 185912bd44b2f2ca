using LazySnapshotter.Snapshots.Model;
using Microsoft.Data.Sqlite;

namespace LazySnapshotter.Snapshots.Metadata;

// The snapshots of the node and their rules: which may be whose parent, which may be removed. Each method is one
// transaction. Knows no directories; the caller makes them before a row refers to them and deletes them after.
internal sealed class SnapshotStore
{
    private readonly MetadataDatabase _database;
    private long _lastId;

    public SnapshotStore(MetadataDatabase database)
    {
        _database = database;
        database.EnsureSchema(SnapshotSchema.Component, SnapshotSchema.Migrations);
        // AUTOINCREMENT remembers the highest id ever used, also of rows that are gone.
        _lastId = database.Read(connection =>
            connection.QueryFirst("SELECT seq FROM sqlite_sequence WHERE name = 'snapshots'", row => row.GetInt64(0)));
    }

    /// <summary>An id for a snapshot to be. One that never gets a row may be given again after a restart.</summary>
    public long NextId() => Interlocked.Increment(ref _lastId);

    /// <exception cref="SnapshotNotFoundException"/>
    public SnapshotRecord Get(string name) => _database.Read(connection => Existing(connection, name));

    public bool Exists(string name) => _database.Read(connection => Find(connection, name) is not null);

    /// <exception cref="SnapshotNotFoundException"/>
    public SnapshotChain GetChain(string name) => _database.Read(connection =>
    {
        var snapshot = Existing(connection, name);
        return new SnapshotChain(snapshot, ContentsFrom(connection, snapshot.ParentId));
    });

    /// <summary>What a new snapshot on this parent would lie on, nearest first.</summary>
    public IReadOnlyList<SnapshotContent> ContentsOfParent(string parent) =>
        _database.Read(connection => ContentsFrom(connection, ParentId(connection, parent)));

    /// <summary>What a snapshot lies on, nearest first.</summary>
    public IReadOnlyList<SnapshotContent> ContentsBelow(long id) => _database.Read(connection => ContentsFrom(
        connection, connection.QueryFirst("SELECT parent_id FROM snapshots WHERE id = $id", row => row.GetNullableInt64(0), ("$id", id))));

    public List<SnapshotRecord> List() => _database.Read(connection =>
    {
        var labels = new Dictionary<long, Dictionary<string, string>>();
        connection.Query("SELECT snapshot_id, key, value FROM snapshot_labels", row =>
        {
            if (!labels.TryGetValue(row.GetInt64(0), out var ofSnapshot))
                labels.Add(row.GetInt64(0), ofSnapshot = new Dictionary<string, string>(StringComparer.Ordinal));
            ofSnapshot.Add(row.GetString(1), row.GetString(2));
            return true;
        });
        return connection.Query(SelectSnapshot + "ORDER BY s.id", row => Record(row, labels.GetValueOrDefault(row.GetInt64(0)) ?? []));
    });

    /// <summary>The committed snapshot that some client prepared for this target on this parent.</summary>
    public SnapshotRecord? FindTarget(string target, string parent) => _database.Read(connection =>
        FindTarget(connection, target, ParentId(connection, parent)));

    public HashSet<long> Ids() => [.. _database.Read(connection => connection.Query("SELECT id FROM snapshots", row => row.GetInt64(0)))];

    public HashSet<long> LayerIds() =>
        [.. _database.Read(
            connection => connection.Query("SELECT DISTINCT layer_id FROM snapshots WHERE layer_id IS NOT NULL", row => row.GetInt64(0)))];

    public bool IsLayerUsed(long layerId) => _database.Read(connection => connection.QueryFirst(
        "SELECT EXISTS (SELECT 1 FROM snapshots WHERE layer_id = $layer)", row => row.GetBoolean(0), ("$layer", layerId)));

    public SnapshotChain Create(long id, SnapshotKind kind, string key, string parent, IReadOnlyDictionary<string, string> labels) =>
        _database.Write(connection =>
        {
            var parentId = ParentId(connection, parent);
            if (Find(connection, key) is not null)
                throw new SnapshotExistsException($"snapshot \"{key}\": already exists");

            var now = DateTimeOffset.UtcNow;
            Insert(connection, id, key, parentId, kind, now, layerId: null);
            WriteLabels(connection, id, labels);
            return new SnapshotChain(Existing(connection, key), ContentsFrom(connection, parentId));
        });

    /// <summary>Records a lazy layer as a committed snapshot under the target's name, or beside it where that is taken.</summary>
    /// <returns>False if such a snapshot is there already.</returns>
    public bool TryCreateRemote(long id, string target, string parent, IReadOnlyDictionary<string, string> labels, long layerId) =>
        _database.Write(connection =>
        {
            var parentId = ParentId(connection, parent);
            if (FindTarget(connection, target, parentId) is not null)
                return false;

            // containerd finds it by label and parent, so the name is free; "#" is in no chain ID.
            var name = Find(connection, target) is null ? target : $"{target}#{id}";
            Insert(connection, id, name, parentId, SnapshotKind.Committed, DateTimeOffset.UtcNow, layerId);
            WriteLabels(connection, id, labels);
            return true;
        });

    /// <summary>Lets another layer stand for a committed snapshot.</summary>
    /// <returns>False if the snapshot is gone.</returns>
    public bool TrySetLayer(long id, long layerId) => _database.Write(connection =>
        connection.Execute("UPDATE snapshots SET layer_id = $layer WHERE id = $id", ("$layer", layerId), ("$id", id)) > 0);

    /// <param name="parent">Gives a parent to a snapshot prepared without one; empty for none.</param>
    public void Commit(string name, string key, string parent, IReadOnlyDictionary<string, string> labels, SnapshotUsage usage) =>
        _database.Write(connection =>
        {
            if (Find(connection, name) is not null)
                throw new SnapshotExistsException($"committed snapshot \"{name}\": already exists");
            var active = Existing(connection, key);
            if (active.Info.Kind != SnapshotKind.Active)
                throw new SnapshotStateException($"snapshot \"{key}\" is not active");
            if (parent.Length > 0 && active.Info.Parent.Length > 0 && parent != active.Info.Parent)
                throw new SnapshotArgumentException($"cannot change the parent of active snapshot \"{key}\" on commit");

            var parentId = active.ParentId ?? ParentIdForCommit(connection, parent);
            var now = Nanoseconds(DateTimeOffset.UtcNow);
            connection.Execute(
                """
                UPDATE snapshots SET name = $name, parent_id = $parent, kind = $kind, created_ns = $now, updated_ns = $now,
                    usage_bytes = $bytes, inodes = $inodes WHERE id = $id
                """,
                ("$name", name), ("$parent", parentId), ("$kind", (long)SnapshotKind.Committed), ("$now", now),
                ("$bytes", usage.Bytes), ("$inodes", usage.Inodes), ("$id", active.Id));
            WriteLabels(connection, active.Id, labels);
        });

    public SnapshotRecord Remove(string key) => _database.Write(connection =>
    {
        var snapshot = Find(connection, key) ?? throw new SnapshotNotFoundException($"failed to remove snapshot \"{key}\": does not exist");
        if (connection.QueryFirst(
            "SELECT EXISTS (SELECT 1 FROM snapshots WHERE parent_id = $id)", row => row.GetBoolean(0), ("$id", snapshot.Id)))
            throw new SnapshotStateException($"failed to remove snapshot \"{key}\": cannot remove snapshot with child");
        connection.Execute("DELETE FROM snapshots WHERE id = $id", ("$id", snapshot.Id));
        return snapshot;
    });

    /// <param name="change">From the labels there are to those there shall be.</param>
    public SnapshotInfo UpdateLabels(string name, Func<IReadOnlyDictionary<string, string>, IReadOnlyDictionary<string, string>> change) =>
        _database.Write(connection =>
        {
            var snapshot = Existing(connection, name);
            WriteLabels(connection, snapshot.Id, change(snapshot.Info.Labels));
            connection.Execute(
                "UPDATE snapshots SET updated_ns = $now WHERE id = $id", ("$now", Nanoseconds(DateTimeOffset.UtcNow)),
                ("$id", snapshot.Id));
            return Existing(connection, name).Info;
        });

    private const string SelectSnapshot =
        """
        SELECT s.id, s.name, s.parent_id, p.name, s.kind, s.created_ns, s.updated_ns, s.usage_bytes, s.inodes, s.layer_id
        FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent_id

        """;

    private static SnapshotRecord Existing(SqliteConnection connection, string name) =>
        Find(connection, name) ?? throw new SnapshotNotFoundException($"snapshot \"{name}\" does not exist");

    private static SnapshotRecord? Find(SqliteConnection connection, string name) =>
        connection.QueryFirst(
            SelectSnapshot + "WHERE s.name = $name", row => Record(row, Labels(connection, row.GetInt64(0))), ("$name", name));

    private static SnapshotRecord? FindTarget(SqliteConnection connection, string target, long? parentId) => connection.QueryFirst(
        SelectSnapshot +
        """
        JOIN snapshot_labels l ON l.snapshot_id = s.id AND l.key = $label AND l.value = $target
        WHERE s.parent_id IS $parent AND s.kind = $committed
        """,
        row => Record(row, Labels(connection, row.GetInt64(0))),
        ("$label", SnapshotLabels.SnapshotRef), ("$target", target), ("$parent", parentId), ("$committed", (long)SnapshotKind.Committed));

    private static Dictionary<string, string> Labels(SqliteConnection connection, long id)
    {
        var pairs = connection.Query(
            "SELECT key, value FROM snapshot_labels WHERE snapshot_id = $id", row => (row.GetString(0), row.GetString(1)), ("$id", id));
        return pairs.ToDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal);
    }

    private static SnapshotRecord Record(SqliteDataReader row, Dictionary<string, string> labels) => new(
        row.GetInt64(0), row.GetNullableInt64(2), row.GetNullableInt64(9),
        new SnapshotInfo(
            row.GetString(1), row.IsDBNull(3) ? "" : row.GetString(3), (SnapshotKind)row.GetInt64(4),
            Time(row.GetInt64(5)), Time(row.GetInt64(6)), labels),
        new SnapshotUsage(row.GetInt64(7), row.GetInt64(8)));

    private static List<SnapshotContent> ContentsFrom(SqliteConnection connection, long? id) => id is null ? [] : connection.Query(
        """
        WITH RECURSIVE chain (depth, id, parent_id, layer_id, name) AS (
            SELECT 0, id, parent_id, layer_id, name FROM snapshots WHERE id = $id
            UNION ALL
            SELECT c.depth + 1, s.id, s.parent_id, s.layer_id, s.name FROM chain c JOIN snapshots s ON s.id = c.parent_id)
        SELECT id, layer_id, name, (SELECT value FROM snapshot_labels WHERE snapshot_id = id AND key = $label) FROM chain ORDER BY depth
        """,
        row => new SnapshotContent(
            row.GetInt64(0), row.GetNullableInt64(1), row.IsDBNull(3) ? ChainOf(row.GetString(2)) : row.GetString(3)),
        ("$id", id), ("$label", SnapshotLabels.SnapshotRef));

    // containerd's metadata store puts the namespace and a number before the name it was given.
    private static string ChainOf(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static long? ParentId(SqliteConnection connection, string parent)
    {
        if (parent.Length == 0)
            return null;
        var record = Find(connection, parent) ?? throw new SnapshotNotFoundException($"parent snapshot \"{parent}\" does not exist");
        return record.Info.Kind == SnapshotKind.Committed
            ? record.Id
            : throw new SnapshotArgumentException($"parent \"{parent}\" is not a committed snapshot");
    }

    // containerd answers the same mistake differently here: the request was right when the snapshot was prepared.
    private static long? ParentIdForCommit(SqliteConnection connection, string parent)
    {
        try
        {
            return ParentId(connection, parent);
        }
        catch (SnapshotArgumentException e)
        {
            throw new SnapshotStateException(e.Message);
        }
    }

    private static void Insert(
        SqliteConnection connection, long id, string name, long? parentId, SnapshotKind kind, DateTimeOffset now, long? layerId) =>
        connection.Execute(
            """
            INSERT INTO snapshots (id, name, parent_id, kind, created_ns, updated_ns, layer_id)
            VALUES ($id, $name, $parent, $kind, $now, $now, $layer)
            """,
            ("$id", id), ("$name", name), ("$parent", parentId), ("$kind", (long)kind), ("$now", Nanoseconds(now)), ("$layer", layerId));

    // A label with an empty value is a label that is not there (containerd's boltutil does the same).
    private static void WriteLabels(SqliteConnection connection, long id, IReadOnlyDictionary<string, string> labels)
    {
        connection.Execute("DELETE FROM snapshot_labels WHERE snapshot_id = $id", ("$id", id));
        foreach (var (key, value) in labels.Where(label => label.Value.Length > 0 && !SnapshotLabels.IsSecret(label.Key)))
        {
            connection.Execute(
                "INSERT INTO snapshot_labels (snapshot_id, key, value) VALUES ($id, $key, $value)", ("$id", id), ("$key", key),
                ("$value", value));
        }
    }

    private static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    private static DateTimeOffset Time(long nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
}
