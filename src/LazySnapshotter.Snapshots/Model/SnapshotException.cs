namespace LazySnapshotter.Snapshots.Model;

// The ways a call on a snapshot can fail that its caller must be able to tell apart: containerd acts on each of them
// differently (core/snapshots documents which call answers which). The service translates them to gRPC.
public abstract class SnapshotException(string message) : Exception(message);

public sealed class SnapshotNotFoundException(string message) : SnapshotException(message);

public sealed class SnapshotExistsException(string message) : SnapshotException(message);

/// <summary>The request makes no sense whatever the state.</summary>
public sealed class SnapshotArgumentException(string message) : SnapshotException(message);

/// <summary>The request makes sense, but not for a snapshot in this state.</summary>
public sealed class SnapshotStateException(string message) : SnapshotException(message);
