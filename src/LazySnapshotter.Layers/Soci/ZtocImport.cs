using System.Security.Cryptography;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Soci;

// Makes an index file of ours from soci's zTOC: its entries go through the same tree builder as those of a tar we read
// ourselves, its spans keep soci's borders and digests, its windows are stored in our encoding. Nobody has seen the tar:
// the diff ID is what the image says, or not known. Three things differ from soci's view of the same spans:
//
// - Spans without output (an empty first block) are left out. Nothing lies in them.
// - The last span ends with the tar's last file; what its zeros behind that come to, a zTOC does not know.
// - The gzip header in front of the first checkpoint is in no span, as it is in no digest.
//
// A version 1 zTOC does not say where its first span starts; soci takes byte 10. With the blob's first bytes at hand we
// know. Without them, a first span that really starts later does not match its digest, so that reads of it fail (and
// never give wrong bytes), as they do in soci; all other spans are right.
public static class ZtocImport
{
    /// <param name="layer">Of the layer, in the image's manifest; its size must be the zTOC's.</param>
    /// <param name="indexPath">Where the index goes; a file there is replaced. Its directory must exist.</param>
    /// <exception cref="InvalidDataException">The zTOC contradicts itself, the layer or our limits; the message names the part.</exception>
    public static ZtocImportResult WriteIndex(Ztoc ztoc, Descriptor layer, string indexPath, ZtocImportOptions options) =>
        WriteIndex(ztoc, layer, () => new AtomicFile(indexPath), _ => indexPath, options);

    /// <param name="create">Makes what the index is written to; called when nothing speaks against the zTOC any more.</param>
    /// <param name="pathOf">From what the index is to its file's name.</param>
    /// <inheritdoc cref="WriteIndex(Ztoc, Descriptor, string, ZtocImportOptions)"/>
    internal static ZtocImportResult WriteIndex(
        Ztoc ztoc, Descriptor layer, Func<AtomicFile> create, Func<LayerIndexHeader, string> pathOf, ZtocImportOptions options)
    {
        if (layer.Size != ztoc.CompressedLength)
            throw new InvalidDataException(
                $"zTOC: it is of a blob of {ztoc.CompressedLength} bytes, layer {layer.Digest} has {layer.Size}");

        var toc = new TocBuilder();
        new ZtocEntries(ztoc, options.DropXattrs).AddTo(toc);
        var first = FirstSpan(ztoc);
        var spans = Spans(ztoc, first, options.BlobStart.Span);

        using var file = create();
        using var windows = new WindowSpool(file.Directory);
        for (var i = first; i < ztoc.SpanCount; i++)
            windows.Add(EncodeWindow(ztoc.Window(i), ztoc.UncompressedOffsets[i]));
        var content = new LayerIndexContent
        {
            Compression = ztoc.Compression,
            LayerDigest = layer.Digest,
            DiffId = options.DiffId,
            Toc = toc.Build(),
            Spans = spans,
            Windows = windows,
        };
        var header = LayerIndexWriter.Write(file.Stream, content);
        file.Commit(pathOf(header));
        return new ZtocImportResult(spans.Count, content.Toc.Count, header.Id, header.FileLength);
    }

    /// <summary>The last one of the spans that start before any output.</summary>
    private static int FirstSpan(Ztoc ztoc)
    {
        var first = 0;
        while (first + 1 < ztoc.SpanCount && ztoc.UncompressedOffsets[first + 1] == 0)
            first++;
        return first;
    }

    private static SpanTable Spans(Ztoc ztoc, int first, ReadOnlySpan<byte> blobStart)
    {
        long[] startBits = [.. ztoc.StartBits[first..]];
        long[] offsets = [.. ztoc.UncompressedOffsets[first..]];
        if (ztoc.NeedsBlobStart && first == 0 && !blobStart.IsEmpty)
            startBits[0] = GzipHeaderLength(blobStart) * 8;

        // The zeros behind the tar may be so many that the last span lies in them, whole.
        var uncompressedLength = ztoc.Compression == LayerCompression.None
            ? ztoc.CompressedLength
            : Math.Max(ztoc.UncompressedLength, offsets[^1]);
        var digests = ztoc.SpanDigests[(first * SHA256.HashSizeInBytes)..];
        return new SpanTable(startBits, offsets, digests, ztoc.CompressedLength, uncompressedLength);
    }

    private static long GzipHeaderLength(ReadOnlySpan<byte> blobStart)
    {
        var header = default(GzipHeader);
        var length = header.Append(blobStart, out var error);
        if (error is not null || !header.IsComplete)
            throw new InvalidDataException($"zTOC, checkpoint 0: the blob's first {blobStart.Length} bytes do not tell where it " +
                $"is: {error ?? "the gzip header goes on"}");
        return length;
    }

    /// <summary>Which bytes of a window are of use only decoding could tell, and there is nothing to decode: all are kept.</summary>
    private static byte[] EncodeWindow(ReadOnlySpan<byte> window, long uncompressedOffset)
    {
        var length = (int)Math.Min(window.Length, uncompressedOffset);
        return WindowEncoding.Encode(window[^length..], WindowEncoding.AllReferenced);
    }
}
