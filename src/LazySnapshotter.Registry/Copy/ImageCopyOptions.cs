using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Copy;

public sealed record ImageCopyOptions
{
    /// <summary>The manifest for this platform alone is copied; null: everything the reference names, all platforms of an index.</summary>
    public Platform? Platform { get; init; }

    /// <summary>
    /// Artifacts that refer to what is copied come along: indexes, signatures, bills of material, and what refers to those.
    /// </summary>
    public bool Referrers { get; init; } = true;

    /// <summary>Blobs, and documents, at a time.</summary>
    public int Parallelism { get; init; } = 4;

    internal Task ForAllAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, Task> body, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
        items, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
        async (item, ct) => await body(item, ct));
}
