namespace LazySnapshotter.Registry.Push;

/// <summary>How a blob came to be in a repository.</summary>
public enum BlobPush
{
    /// <summary>It was there; no byte was sent.</summary>
    Present,

    /// <summary>The registry took it over from another of its repositories; no byte was sent.</summary>
    Mounted,

    Uploaded,
}
