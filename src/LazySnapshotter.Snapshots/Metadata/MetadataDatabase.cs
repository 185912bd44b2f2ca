using System.Collections.Concurrent;
using LazySnapshotter.Linux;
using Microsoft.Data.Sqlite;

namespace LazySnapshotter.Snapshots.Metadata;

// The node's metadata: one SQLite file, one process (a lock file beside it says so), one writer at a time, readers that
// wait for nobody (WAL). Whoever keeps tables here ensures its own schema and sees nothing of the others'.
//
// synchronous=FULL: a commit is on the disk when Write returns. containerd's own database is as strict, and it would
// keep naming snapshots that a power failure took from us; so would the kernel with a layer's slot.
//
// A transaction lasts as long as the callback: no callback waits for anything but SQLite.
public sealed class MetadataDatabase : IDisposable
{
    // "LSnp": tells our file from any other SQLite file (PRAGMA application_id).
    private const int ApplicationId = 0x4C536E70;

    private const int IdleReadersMax = 8;
    private const int SQLITE_CORRUPT = 11;
    private const int SQLITE_NOTADB = 26;

    private readonly Lock _writeGate = new();
    private readonly FileStream _lockFile;
    private readonly SqliteConnection _writer;
    private readonly ConcurrentBag<SqliteConnection> _idleReaders = [];
    private volatile bool _disposed;

    static MetadataDatabase() => SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_sqlite3());

    private MetadataDatabase(string path, FileStream lockFile, SqliteConnection writer)
    {
        Path = path;
        _lockFile = lockFile;
        _writer = writer;
    }

    public string Path { get; }

    /// <summary>Opens the file, or creates it readable by its owner alone.</summary>
    /// <exception cref="MetadataException">Damaged, foreign, in use by another process, or not accessible.</exception>
    public static MetadataDatabase Open(string path)
    {
        FileStream? lockFile = null;
        SqliteConnection? writer = null;
        try
        {
            lockFile = Lock(path + ".lock");
            // SQLite gives its -wal and -shm files the mode of the database file, so this one call covers all three.
            new FileStream(path, PrivateFile(FileShare.ReadWrite)).Dispose();
            writer = Connect(path);
            Prepare(writer, path);
            return new MetadataDatabase(path, lockFile, writer);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Translate(e, path);
        }
        finally
        {
            if (writer?.State != System.Data.ConnectionState.Open)
                lockFile?.Dispose();
        }
    }

    /// <summary>Brings one component's tables to their newest shape.</summary>
    /// <param name="component">Names the component; each has its own version.</param>
    /// <param name="migrations">SQL scripts in order; a database of version n has seen the first n. Only ever append.</param>
    public void EnsureSchema(string component, params IReadOnlyList<string> migrations) => Write(connection =>
    {
        var version = (int)connection.QueryFirst(
            "SELECT version FROM schemas WHERE component = $component", row => row.GetInt64(0), ("$component", component));
        if (version > migrations.Count)
            throw new MetadataException($"{Path}: the {component} tables have version {version}, this program knows {migrations.Count}: " +
                $"a newer program wrote them");

        for (var i = version; i < migrations.Count; i++)
            connection.Execute(migrations[i]);
        connection.Execute(
            "INSERT INTO schemas (component, version) VALUES ($component, $version) ON CONFLICT (component) DO UPDATE SET version = " +
                "excluded.version",
            ("$component", component), ("$version", migrations.Count));
    });

    /// <summary>Runs queries on one unchanging state of the database.</summary>
    public T Read<T>(Func<SqliteConnection, T> query)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        try
        {
            if (!_idleReaders.TryTake(out var reader))
                reader = ConnectReader();
            try
            {
                using var transaction = reader.BeginTransaction(deferred: true);
                return query(reader);
            }
            finally
            {
                if (_disposed || _idleReaders.Count >= IdleReadersMax)
                    reader.Dispose();
                else
                    _idleReaders.Add(reader);
            }
        }
        catch (SqliteException e)
        {
            throw Translate(e, Path);
        }
    }

    /// <summary>Changes the database: all of the callback or, if it throws, nothing.</summary>
    public T Write<T>(Func<SqliteConnection, T> change)
    {
        lock (_writeGate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                using var transaction = _writer.BeginTransaction();
                var result = change(_writer);
                transaction.Commit();
                return result;
            }
            catch (SqliteException e)
            {
                throw Translate(e, Path);
            }
        }
    }

    public void Write(Action<SqliteConnection> change) => Write(connection =>
    {
        change(connection);
        return true;
    });

    public void Dispose()
    {
        lock (_writeGate)
        {
            if (_disposed)
                return;
            _disposed = true;
            while (_idleReaders.TryTake(out var reader))
                reader.Dispose();
            _writer.Dispose();
            _lockFile.Dispose();
        }
    }

    private SqliteConnection ConnectReader()
    {
        var reader = Connect(Path);
        reader.Execute("PRAGMA query_only = ON");
        return reader;
    }

    private static SqliteConnection Connect(string path)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString());
        try
        {
            connection.Open();
            connection.Execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Prepare(SqliteConnection writer, string path)
    {
        try
        {
            var applicationId = writer.QueryFirst("PRAGMA application_id", row => row.GetInt64(0));
            var tables = writer.QueryFirst("SELECT count(*) FROM sqlite_master", row => row.GetInt64(0));
            if (applicationId != ApplicationId && tables > 0)
                throw new MetadataException($"{path} is a SQLite database of another program (application id {applicationId})");

            writer.Execute("PRAGMA journal_mode = WAL");
            if (tables == 0)
            {
                using var transaction = writer.BeginTransaction();
                writer.Execute($"PRAGMA application_id = {ApplicationId}");
                writer.Execute("CREATE TABLE schemas (component TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID");
                transaction.Commit();
            }
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    private static FileStream Lock(string lockPath)
    {
        try
        {
            // FileShare.None is flock(2), which the kernel drops with the process.
            return new FileStream(lockPath, PrivateFile(FileShare.None));
        }
        catch (IOException e) when (e.HResult == (int)Errno.EAGAIN)
        {
            var who = LockHolder.Find(lockPath) is { } pid ? $"process {pid}" : "another process";
            throw new IOException(
                $"{who} has it, a daemon that runs already; a second one needs a root of its own (--root) and a socket of its own " +
                    $"(--address)", e);
        }
    }

    private static FileStreamOptions PrivateFile(FileShare share) => new()
    {
        Mode = FileMode.OpenOrCreate,
        Access = FileAccess.ReadWrite,
        Share = share,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    };

    private static MetadataException Translate(Exception e, string path) =>
        e is SqliteException { SqliteErrorCode: SQLITE_CORRUPT or SQLITE_NOTADB }
        ? new MetadataException($"metadata database {path} is damaged: {e.Message}", e)
        : new MetadataException($"metadata database {path}: {e.Message}", e);
}
