using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.FileSystem;

// What a read-only, immutable filesystem has to know to be served by a FuseSession. Everything but ReadAsync and WhenReady answers
// from memory, on a kernel reader thread, and must not wait. Expected outcomes are errno values; an exception is a bug
// or a fault, which the session logs and answers with EIO.
//
// Because nothing here ever changes, the kernel is told to keep entries, absent names, attributes, directory listings,
// link targets and file contents for ever. The exception is a directory that says so in IsImmutable: it may get and lose
// names at run time. There a missing name is asked for every time; the listing is kept only as long as the directory's
// modification time stays, so it must move whenever a name comes or goes. A name the kernel knows stays with its node
// until FuseSession.InvalidateEntry.
public interface IFuseFileSystem
{
    /// <summary>False for a directory that gets or loses names while it is mounted. A directory never changes its mind.</summary>
    bool IsImmutable(NodeId directory);

    /// <summary>
    /// What is to be done before a node can be asked about from memory; null if nothing is. The session waits for it on no reader
    /// thread, and answers with EIO if it fails. Asked before every request about a node, so the usual answer must cost nothing.
    /// </summary>
    /// <param name="name">What will be looked up in the node; empty for other requests.</param>
    Task? WhenReady(NodeId node, ReadOnlySpan<byte> name) => null;

    /// <summary>Finds a name in a directory. ENOENT if there is none (remembered by the kernel), ENOTDIR if the parent is none.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">
    /// Raw bytes, no slash, no terminator, never empty, never ".". ".." asks for the parent (the root's is the root); a
    /// filesystem without an answer says ENOENT, which only those notice who reach nodes by handle (NFS).
    /// </param>
    Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeId node, out NodeAttributes attributes);

    /// <summary>ENOENT when the node is not (or no longer) known.</summary>
    Errno GetAttributes(NodeId node, out NodeAttributes attributes);

    /// <summary>EINVAL when the node is not a symbolic link.</summary>
    Errno ReadLink(NodeId node, out ReadOnlyMemory<byte> target);

    /// <summary>
    /// Lists a directory from a cookie on: 0 is the first child; each child carries the cookie of its successor, which
    /// is not negative and leaves room for two more below <see cref="long.MaxValue"/>. The session adds "." and ".." itself.
    /// </summary>
    /// <param name="sink">Takes children in order and returns false when its buffer is full (the child was not taken).</param>
    Errno ReadDirectory(NodeId directory, long cookie, IDirectorySink sink);

    /// <summary>
    /// Fills <paramref name="destination"/> from <paramref name="offset"/> on; fewer bytes only at the end of the file.
    /// Completes synchronously when the bytes are here; otherwise it is continued on the thread pool and the reader
    /// thread goes on. Cancelled when the kernel interrupts the request.
    /// </summary>
    /// <returns>The number of bytes; a failure is an exception (EIO to the caller).</returns>
    ValueTask<int> ReadAsync(NodeId file, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>ENODATA when the node has no such attribute.</summary>
    Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value);

    /// <summary>All names, each followed by a zero byte (listxattr(2)); empty when there are none.</summary>
    Errno ListXattr(NodeId node, out ReadOnlyMemory<byte> names);

    /// <summary>Totals for statfs(2).</summary>
    FileSystemTotals GetTotals();
}

public interface IDirectorySink
{
    /// <param name="nextCookie">Where to go on after this child.</param>
    /// <returns>False when the child did not fit; it must be offered again in the next call.</returns>
    bool TryAdd(ReadOnlySpan<byte> name, NodeId node, in NodeAttributes attributes, long nextCookie);

    /// <summary>The same for a child of which only the type is said: whoever wants more looks it up.</summary>
    bool TryAddName(ReadOnlySpan<byte> name, NodeId node, FileType type, long nextCookie);
}

public readonly record struct FileSystemTotals(long Bytes, long Nodes);
