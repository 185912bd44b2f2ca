using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Blobs;

/// <summary>What an answer with bytes of a blob is an answer to.</summary>
/// <param name="Wanted">What is to be read.</param>
/// <param name="Range">That of the request; null where it asks for the whole blob.</param>
/// <param name="Size">Of the blob, by its descriptor.</param>
/// <param name="IsCoded">Whether a Content-Encoding is to be undone, where that was found out.</param>
internal readonly record struct BlobQuestion(ByteRange Wanted, ByteRange? Range, long? Size, bool? IsCoded);
