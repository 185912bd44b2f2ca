using LazySnapshotter.Layers.Index;
using LazySnapshotter.Layers.Index.Verify;
using LazySnapshotter.Layers.Store;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Mounts.Library;

// Finds out who lies when an index and what the registry gives do not fit together. There is one witness: the whole blob,
// whose digest the image names. It is fetched (and kept), and the index is compared with it span by span. Without it
// there is no verdict: a registry that gives wrong bytes must not cost anybody a good index.
internal static class IndexTrial
{
    /// <summary>What the index says that the layer refutes; null if every span of it is right.</summary>
    /// <exception cref="IOException">The blob, or the rest of the index, cannot be had: no verdict.</exception>
    /// <exception cref="InvalidDataException">What the registry gives as the blob is not it: no verdict.</exception>
    public static async Task<string?> RunAsync(LayerIndex index, IBlobReader source, BlobStore blobs, CancellationToken cancellationToken)
    {
        if (!blobs.IsComplete(index.LayerDigest))
            await FetchAsync(index, source, blobs, cancellationToken);
        await index.FetchAllAsync(cancellationToken);

        await using var blob = blobs.OpenComplete(index.LayerDigest) ?? throw new IOException($"{index.LayerDigest}: the whole blob went away");
        if (!index.LayerDigest.Matches(await HashAsync(index.LayerDigest, blob, cancellationToken)))
            throw new IOException($"{index.LayerDigest}: the whole blob on this node is damaged");

        blob.Position = 0;
        var report = await IndexVerifier.VerifyAsync(index, blob, new IndexVerificationOptions { TarPaddingIsOptional = true }, cancellationToken);
        // Only spans count: a tree may leave things out (soci can be told to drop extended attributes).
        return report.Checks.FirstOrDefault(check => check.First?.Span is not null)?.First!.What;
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
