using LazySnapshotter.Snapshots.Metadata;

namespace LazySnapshotter.Snapshots.Tests;

public sealed class MetadataDatabaseTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("metadata-").FullName;

    private string DatabasePath => Path.Combine(_directory, "metadata.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Files_are_readable_by_their_owner_alone()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        database.EnsureSchema("t", "CREATE TABLE t (x INTEGER)");
        var files = Directory.GetFiles(_directory);
        Assert.Contains(DatabasePath + "-wal", files);
        Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public void Two_components_keep_tables_side_by_side_each_at_its_own_version()
    {
        using (var database = MetadataDatabase.Open(DatabasePath))
        {
            database.EnsureSchema("a", "CREATE TABLE a (x INTEGER)");
            database.EnsureSchema("b", "CREATE TABLE b (x INTEGER)");
            database.Write(connection => connection.Execute("INSERT INTO a VALUES ($x)", ("$x", 7)));
        }

        using (var database = MetadataDatabase.Open(DatabasePath))
        {
            database.EnsureSchema("a", "CREATE TABLE a (x INTEGER)", "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 5");
            database.EnsureSchema("b", "CREATE TABLE b (x INTEGER)");
            Assert.Equal((7L, 5L), database.Read(
                connection => connection.QueryFirst("SELECT x, y FROM a", row => (row.GetInt64(0), row.GetInt64(1)))));
        }
    }

    [Fact]
    public void Schema_of_a_newer_program_is_refused()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        database.EnsureSchema("a", "CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER)");
        var e = Assert.Throws<MetadataException>(() => database.EnsureSchema("a", "CREATE TABLE a (x INTEGER)"));
        Assert.Contains(DatabasePath, e.Message, StringComparison.Ordinal);
        Assert.Contains("newer", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Migration_that_fails_changes_nothing()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        Assert.Throws<MetadataException>(() => database.EnsureSchema("a", "CREATE TABLE a (x INTEGER)", "nonsense"));
        Assert.Equal(0, database.Read(
            connection => connection.QueryFirst("SELECT count(*) FROM sqlite_master WHERE name = 'a'", row => row.GetInt64(0))));
    }

    [Fact]
    public void Write_that_throws_changes_nothing()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        database.EnsureSchema("t", "CREATE TABLE t (x INTEGER)");
        Assert.Throws<InvalidOperationException>(() => database.Write(connection =>
        {
            connection.Execute("INSERT INTO t VALUES (1)");
            throw new InvalidOperationException();
        }));
        Assert.Equal(0, Count(database));
        database.Write(connection => connection.Execute("INSERT INTO t VALUES (1)"));
        Assert.Equal(1, Count(database));
    }

    [Fact]
    public void Reader_sees_one_state_while_a_writer_goes_on_and_waits_for_nobody()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        database.EnsureSchema("t", "CREATE TABLE t (x INTEGER)");
        database.Read(connection =>
        {
            Assert.Equal(0, connection.QueryFirst("SELECT count(*) FROM t", row => row.GetInt64(0)));
            database.Write(writer => writer.Execute("INSERT INTO t VALUES (1)"));
            Assert.Equal(0, connection.QueryFirst("SELECT count(*) FROM t", row => row.GetInt64(0)));
            return true;
        });
        database.Write(writer =>
        {
            writer.Execute("INSERT INTO t VALUES (2)");
            Assert.Equal(1, Count(database));
        });
        Assert.Equal(2, Count(database));
    }

    [Fact]
    public void Reader_cannot_write()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        database.EnsureSchema("t", "CREATE TABLE t (x INTEGER)");
        Assert.Throws<MetadataException>(() => database.Read(connection => connection.Execute("INSERT INTO t VALUES (1)")));
    }

    [Fact]
    public void Many_readers_and_writers_at_once_lose_nothing()
    {
        using var database = MetadataDatabase.Open(DatabasePath);
        database.EnsureSchema("t", "CREATE TABLE t (x INTEGER)");
        Parallel.For(0, 200, i =>
        {
            if (i % 2 == 0)
                database.Write(connection => connection.Execute("INSERT INTO t VALUES ($x)", ("$x", i)));
            else
                Count(database);
        });
        Assert.Equal(100, Count(database));
    }

    [Fact]
    public void Second_process_is_refused_until_the_first_is_gone()
    {
        using (MetadataDatabase.Open(DatabasePath))
        {
            var e = Assert.Throws<MetadataException>(() => MetadataDatabase.Open(DatabasePath));
            Assert.Contains($"process {Environment.ProcessId} has it", e.Message, StringComparison.Ordinal);
        }

        MetadataDatabase.Open(DatabasePath).Dispose();
    }

    [Fact]
    public void File_that_is_no_database_is_refused_named_and_left_as_it_is()
    {
        File.WriteAllText(DatabasePath, new string('x', 5000));
        for (var i = 0; i < 2; i++)
        {
            var e = Assert.Throws<MetadataException>(() => MetadataDatabase.Open(DatabasePath));
            Assert.Contains(DatabasePath, e.Message, StringComparison.Ordinal);
            Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(new string('x', 5000), File.ReadAllText(DatabasePath));
    }

    [Fact]
    public void Damage_found_later_names_the_file_too()
    {
        using (var database = MetadataDatabase.Open(DatabasePath))
        {
            database.EnsureSchema("t", "CREATE TABLE t (x TEXT)");
            for (var i = 0; i < 100; i++)
                database.Write(connection => connection.Execute("INSERT INTO t VALUES ($x)", ("$x", new string('y', 500))));
        }

        // All pages but the first, which holds the schema.
        using (var file = File.OpenHandle(DatabasePath, access: FileAccess.ReadWrite))
            RandomAccess.Write(file, Enumerable.Repeat((byte)0xA5, (int)RandomAccess.GetLength(file) - 4096).ToArray(), 4096);

        var e = Assert.Throws<MetadataException>(() =>
        {
            using var database = MetadataDatabase.Open(DatabasePath);
            database.EnsureSchema("t", "CREATE TABLE t (x TEXT)");
            database.Read(connection => connection.Query("SELECT x FROM t", row => row.GetString(0)));
        });
        Assert.Contains(DatabasePath, e.Message, StringComparison.Ordinal);
        Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Database_of_another_program_is_refused()
    {
        using (var database = MetadataDatabase.Open(DatabasePath))
            database.Write(connection => connection.Execute("PRAGMA application_id = 1"));
        var e = Assert.Throws<MetadataException>(() => MetadataDatabase.Open(DatabasePath));
        Assert.Contains("another program", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_that_is_not_there_is_named()
    {
        var missing = Path.Combine(_directory, "nobody", "metadata.db");
        Assert.Contains(missing, Assert.Throws<MetadataException>(() => MetadataDatabase.Open(missing)).Message, StringComparison.Ordinal);
    }

    private static long Count(MetadataDatabase database) =>
        database.Read(connection => connection.QueryFirst("SELECT count(*) FROM t", row => row.GetInt64(0)));
}
