using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Verify;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Catalog;

// Compares an index with its layer's whole blob, whose digest the image names: the one thing that tells who is right when an
// index and what the registry gives do not fit together, or whether what a repository published may be shown to others. The
// blob is fetched, and kept. Without it nothing is said of the index: a registry that gives wrong bytes must not cost anybody a good index.
internal static class IndexComparison
{
    /// <exception cref="IOException">The blob, or the rest of the index, cannot be had: nothing is said of the index.</exception>
    /// <exception cref="InvalidDataException">What the registry gives as the blob is not it: nothing is said of the index.</exception>
    public static async Task<ComparisonResult> RunAsync(
        LayerIndex index, IBlobReader source, BlobStore blobs, CancellationToken cancellationToken)
    {
        if (!blobs.IsComplete(index.LayerDigest))
            await FetchAsync(index, source, blobs, cancellationToken);
        await index.FetchAllAsync(cancellationToken);

        await using var blob = blobs.OpenComplete(index.LayerDigest)
            ?? throw new IOException($"{index.LayerDigest}: the whole blob went away");
        if (!index.LayerDigest.Matches(await HashAsync(index.LayerDigest, blob, cancellationToken)))
            throw new IOException($"{index.LayerDigest}: the whole blob on this node is damaged");

        blob.Position = 0;
        var report = await IndexVerifier.VerifyAsync(
            index, blob, new IndexVerificationOptions { TarPaddingIsOptional = true }, cancellationToken);
        var differences = report.Checks.Select(check => check.First).OfType<IndexDifference>().ToList();
        if (index.DiffId is null)
            differences.Add(new IndexDifference("it does not say what the layer unpacks to"));
        return new ComparisonResult(differences.Find(difference => difference.Span is not null)?.What, differences.FirstOrDefault()?.What);
    }

    private static async Task FetchAsync(LayerIndex index, IBlobReader source, BlobStore blobs, CancellationToken cancellationToken)
    {
        using var writer = blobs.CreateWriter(index.LayerDigest, index.Spans.CompressedLength);
        await using var stream = await source.OpenAsync(ReadPriority.Background(), cancellationToken);
        var buffer = new byte[128 * 1024];
        for (int length; (length = await stream.ReadAsync(buffer, cancellationToken)) > 0;)
            writer.Write(buffer.AsSpan(0, length));
        if (!await writer.CompleteAsync(cancellationToken))
            throw new IOException($"{index.LayerDigest}: the disk does not take the whole blob");
    }

    private static async Task<byte[]> HashAsync(Digest layer, Stream blob, CancellationToken cancellationToken)
    {
        using var hash = layer.CreateHash();
        var buffer = new byte[128 * 1024];
        for (int length; (length = await blob.ReadAsync(buffer, cancellationToken)) > 0;)
            hash.AppendData(buffer, 0, length);
        return hash.GetHashAndReset();
    }
}

/// <param name="WrongSpan">A span that the layer contradicts: reads by this index fail. Null if every span is right.</param>
/// <param name="Difference">
/// Anything that the layer contradicts, a span or not: a tree may leave things out (soci can be told to drop extended attributes)
/// and yet be read. Null if all of it is right.
/// </param>
internal sealed record ComparisonResult(string? WrongSpan, string? Difference);
