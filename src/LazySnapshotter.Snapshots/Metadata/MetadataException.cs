namespace LazySnapshotter.Snapshots.Metadata;

// The metadata database cannot be used. The message names its path and what is wrong.
public sealed class MetadataException(string message, Exception? innerException = null) : Exception(message, innerException);
