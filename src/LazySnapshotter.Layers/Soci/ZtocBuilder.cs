using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Soci;

// Builds the zTOC of a layer while its blob streams by, once: the same bytes as `soci create` makes of it with the same
// span length and tool identifier. (Where a blob has several gzip members, those of soci 0.14 and later; earlier
// versions index the first member only.)
public static class ZtocBuilder
{
    private const int BufferLength = 128 * 1024;

    /// <param name="blob">The layer as it is in the registry: a tar, gzip-compressed or not.</param>
    /// <param name="output">Gets the zTOC, when all of the blob has been checked.</param>
    /// <exception cref="InvalidDataException">The blob is damaged, foreign or has another digest; the message says where and
    /// how.</exception>
    /// <exception cref="UnsupportedLayerException">There can be no zTOC of this layer; the message says why.</exception>
    public static async Task<ZtocBuildResult> BuildAsync(
        Stream blob, Stream output, ZtocOptions options, CancellationToken cancellationToken)
    {
        using var pass = new ZtocPass(options);
        var buffer = new byte[BufferLength];
        while (true)
        {
            var length = await blob.ReadAsync(buffer, cancellationToken);
            if (length == 0)
                break;
            pass.Append(buffer.AsSpan(0, length));
            options.Progress?.Report(pass.CompressedLength);
        }

        var content = pass.Complete();
        if (options.ExpectedDigest is { } expected && expected != content.LayerDigest)
            throw new InvalidDataException(
                $"layer {expected}: the {content.CompressedLength} bytes received have digest {content.LayerDigest}");

        var ztoc = ZtocWriter.Write(content, options.BuildTool);
        if (ztoc.Length > ZtocLimits.LengthMax)
            throw new UnsupportedLayerException($"the zTOC is longer than {ZtocLimits.LengthMax} bytes");
        await output.WriteAsync(ztoc, cancellationToken);
        return new ZtocBuildResult(
            Digest.OfSha256(ztoc.Span), ztoc.Length, content.LayerDigest, content.Compression, content.CompressedLength,
            content.UncompressedLength, content.SpanIdMax + 1, content.Entries.Count, content.Entries.Any(NeedsXattrs));
    }

    // Opaque directories are shown by an attribute.
    private static bool NeedsXattrs(TarEntry entry) => entry.Xattrs.Count > 0 || entry.Name.AsSpan().EndsWith(".wh..wh..opq"u8);
}
