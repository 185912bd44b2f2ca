using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Metadata;
using Microsoft.Data.Sqlite;

namespace LazySnapshotter.Mounts.Slots;

// Which slot shows which layer, by which index, with which inherited directories, and where its bytes can be had. A
// slot stands for one such combination for ever, and its number is never given out twice (AUTOINCREMENT): the kernel
// may hold node ids of a slot long after it is gone (DESIGN D3). The table lies in the node's metadata database.
public sealed class SlotStore
{
    private const string Columns = "slot, layer, index_id, inherited, source";

    private static readonly string[] _migrations =
    [
        """
        CREATE TABLE slots (
            slot INTEGER PRIMARY KEY AUTOINCREMENT,
            layer TEXT NOT NULL,
            index_id TEXT NOT NULL,
            inherited BLOB NOT NULL,
            source TEXT NOT NULL);
        CREATE INDEX slots_by_layer ON slots (layer);
        """,
    ];

    private readonly MetadataDatabase _database;

    public SlotStore(MetadataDatabase database)
    {
        _database = database;
        database.EnsureSchema("slots", _migrations);
    }

    /// <summary>The slot for a combination, made if there is none. Its source becomes the one given.</summary>
    public LayerSlot GetOrAdd(Digest layer, string indexId, byte[] inherited, string source) => _database.Write(connection =>
    {
        var known = connection
            .Query($"SELECT {Columns} FROM slots WHERE layer = $layer AND index_id = $index", ToSlot, ("$layer", layer.ToString()),
                ("$index", indexId))
            .FirstOrDefault(slot => slot.Inherited.AsSpan().SequenceEqual(inherited));
        if (known is not null)
        {
            connection.Execute("UPDATE slots SET source = $source WHERE slot = $slot", ("$source", source), ("$slot", known.Number));
            return known with { Source = source };
        }

        return connection.QueryFirst(
            $"INSERT INTO slots (layer, index_id, inherited, source) VALUES ($layer, $index, $inherited, $source) RETURNING {Columns}",
            ToSlot,
            ("$layer", layer.ToString()), ("$index", indexId), ("$inherited", inherited), ("$source", source))!;
    });

    public LayerSlot? TryGet(long number) => _database.Read(connection =>
        connection.QueryFirst($"SELECT {Columns} FROM slots WHERE slot = $slot", ToSlot, ("$slot", number)));

    public IReadOnlyList<long> Numbers() => _database.Read(connection =>
        connection.Query("SELECT slot FROM slots ORDER BY slot", row => row.GetInt64(0)).ToList());

    public bool AnyFor(Digest layer) => _database.Read(connection =>
        connection.QueryFirst("SELECT count(*) FROM slots WHERE layer = $layer", row => row.GetInt64(0), ("$layer", layer.ToString())) > 0);

    public bool AnyFor(Digest layer, string indexId) => _database.Read(connection => connection.QueryFirst(
        "SELECT count(*) FROM slots WHERE layer = $layer AND index_id = $index", row => row.GetInt64(0),
        ("$layer", layer.ToString()), ("$index", indexId)) > 0);

    /// <returns>What it stood for; null when there was no such slot.</returns>
    public LayerSlot? Remove(long number) => _database.Write(connection =>
        connection.QueryFirst($"DELETE FROM slots WHERE slot = $slot RETURNING {Columns}", ToSlot, ("$slot", number)));

    private static LayerSlot ToSlot(SqliteDataReader row) => new(
        row.GetInt64(0), Digest.Parse(row.GetString(1)), row.GetString(2), row.GetFieldValue<byte[]>(3), row.GetString(4));
}
