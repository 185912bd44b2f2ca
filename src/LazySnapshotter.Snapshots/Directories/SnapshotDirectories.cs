using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Snapshots.Directories;

// What snapshots own on the disk:
//
//     <root>/snapshots/                0700
//         17/fs                        0755, a snapshot's own files: overlay's upper, later a lower
//         17/work                      0711, overlay's work directory, active snapshots only
//         new-18/                      being made; renamed when complete
//         trash-16-<time>/             being deleted
//
// A number stands there complete or not at all. What no row refers to is removed at start and by Cleanup, so a crash
// at any point leaves nothing for long. A row is on the disk when its transaction ends; so is what it refers to, before that.
internal sealed class SnapshotDirectories
{
    private const string NewPrefix = "new-";
    private const string TrashPrefix = "trash-";
    private const string FilesName = "fs";
    private const string WorkName = "work";

    private const UnixFileMode Mode0700 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Mode0711 = Mode0700 | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode Mode0755 = Mode0711 | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly string _snapshots;
    private readonly Action<string> _sync;
    private readonly Lock _gate = new();
    private readonly HashSet<long> _pending = [];

    /// <exception cref="ArgumentException">The path has characters that overlay's mount options cannot carry.</exception>
    /// <param name="sync">Makes a directory's names durable; Libc.SyncDirectory where it is not watched.</param>
    public SnapshotDirectories(string root, Action<string>? sync = null)
    {
        var path = Path.GetFullPath(root);
        if (path.AsSpan().ContainsAny(":,\\\""))
            throw new ArgumentException(
                $"root directory {path}: a colon, comma, quote or backslash cannot stand in overlay's mount options", nameof(root));
        _snapshots = Path.Combine(path, "snapshots");
        _sync = sync ?? (directory => Libc.SyncDirectory(directory));
        Make(_snapshots, Mode0700);
    }

    public string FilesOf(long id) => Path.Combine(PathOf(id), FilesName);

    public string WorkOf(long id) => Path.Combine(PathOf(id), WorkName);

    /// <summary>Makes a snapshot's directories. Until Settled is called, they need no row to be left alone.</summary>
    /// <param name="ownerFrom">The directory whose owner fs gets; null leaves it to this process's.</param>
    public void Create(long id, bool withWork, string? ownerFrom)
    {
        lock (_gate)
            _pending.Add(id);

        var incomplete = Path.Combine(_snapshots, NewPrefix + Text(id));
        try
        {
            Make(incomplete, Mode0700);
            var files = Path.Combine(incomplete, FilesName);
            Make(files, Mode0755);
            if (withWork)
                Make(Path.Combine(incomplete, WorkName), Mode0711);
            if (ownerFrom is not null)
            {
                var owner = Libc.GetStatus(ownerFrom);
                Libc.Chown(files, owner.Uid, owner.Gid);
            }

            Directory.Move(incomplete, PathOf(id));

            // Both after the rename: of a filesystem with one journal (ext4, XFS) the second then has little left to write.
            _sync(PathOf(id));
            _sync(_snapshots);
        }
        catch
        {
            if (Directory.Exists(incomplete))
                DirectoryTree.Delete(incomplete, CancellationToken.None);
            Settled(id);
            throw;
        }
    }

    /// <summary>The row is there, or will never be: the directory is judged by that from now on.</summary>
    public void Settled(long id)
    {
        lock (_gate)
            _pending.Remove(id);
    }

    /// <summary>Takes a snapshot's directory away at once; its content waits to be deleted.</summary>
    /// <returns>What is to be deleted, or null if there was nothing.</returns>
    public string? MoveToTrash(long id) => MoveToTrash(Text(id));

    /// <summary>Moves everything to the trash that no row refers to.</summary>
    /// <param name="ids">Reads the ids of all rows; called after the directory was read.</param>
    /// <returns>What is to be deleted, with what an earlier process left behind.</returns>
    public List<string> CollectOrphans(Func<HashSet<long>> ids)
    {
        // The order matters: a name seen here was pending then, has a row now, or belongs to nobody.
        var names = Directory.EnumerateDirectories(_snapshots).Select(path => Path.GetFileName(path)!).ToList();
        HashSet<long> pending;
        lock (_gate)
            pending = [.. _pending];
        var rows = ids();

        var trash = new List<string>();
        foreach (var name in names)
        {
            if (name.StartsWith(TrashPrefix, StringComparison.Ordinal))
                trash.Add(Path.Combine(_snapshots, name));
            else if (TryId(name, out var id)
                && !pending.Contains(id) && (!rows.Contains(id) || name.StartsWith(NewPrefix, StringComparison.Ordinal)))
                AddIfMoved(trash, MoveToTrash(name));
        }

        return trash;
    }

    private string? MoveToTrash(string name)
    {
        var trash = Path.Combine(_snapshots, $"{TrashPrefix}{name}-{Guid.NewGuid():N}");
        try
        {
            Directory.Move(Path.Combine(_snapshots, name), trash);
            return trash;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

    // Whatever the umask: fs becomes the root directory of a container.
    private static void Make(string path, UnixFileMode mode)
    {
        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode);
    }

    private static void AddIfMoved(List<string> trash, string? moved)
    {
        if (moved is not null)
            trash.Add(moved);
    }

    private string PathOf(long id) => Path.Combine(_snapshots, Text(id));

    private static string Text(long id) => id.ToString(CultureInfo.InvariantCulture);

    // Names that are not ours are left alone.
    private static bool TryId(string name, out long id) => long.TryParse(
        name.StartsWith(NewPrefix, StringComparison.Ordinal) ? name.AsSpan(NewPrefix.Length) : name,
        NumberStyles.None, CultureInfo.InvariantCulture, out id);
}
