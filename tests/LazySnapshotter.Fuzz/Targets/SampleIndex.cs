using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Fuzz.Targets;

// A small index of a layer with files, links, attributes and windows, and what every index that is taken must stand:
// that each entry and each window is looked at, as mounts and reads will.
internal static class SampleIndex
{
    private const int FileCount = 12;

    public static byte[] Make(long spanLength)
    {
        using var layer = new MemoryStream();
        using (var gzip = new GZipStream(layer, CompressionLevel.Optimal, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
        {
            for (var i = 0; i < FileCount; i++)
            {
                var xattrs = new Dictionary<string, string> { ["SCHILY.xattr.user.number"] = i % 2 == 0 ? "even" : "odd" };
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"directory{i % 3}/file{i}", xattrs)
                {
                    DataStream = new MemoryStream(Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(i * 100, 900)))),
                    ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + i),
                });
                gzip.Flush();
            }

            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "link") { LinkName = "directory0/file0" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "symbolic") { LinkName = "link" });
        }

        layer.Position = 0;
        using var file = new ScratchFile(".lsi");
        var options = new LayerIndexOptions { Placement = CheckpointPlacement.Uniform(spanLength) };
        LayerIndexBuilder.BuildAsync(layer, file.Path, options, CancellationToken.None).GetAwaiter().GetResult();
        return File.ReadAllBytes(file.Path);
    }

    /// <exception cref="InvalidDataException">The index is refused.</exception>
    public static void Use(ReadOnlySpan<byte> bytes)
    {
        using var file = new ScratchFile(".lsi");
        File.WriteAllBytes(file.Path, bytes);
        using var index = LayerIndex.Open(file.Path);
        var toc = index.Toc;
        for (var entry = 0; entry < toc.Count; entry++)
        {
            var extents = toc.Extents(entry);
            for (var i = 0; i < extents.Count; i++)
            {
                var (start, length) = (extents[i].UncompressedOffset, extents[i].Length);
                if (start < 0 || length < 0 || start > index.Spans.UncompressedLength - length)
                    throw new InvalidOperationException($"entry {entry} has data outside the layer");
            }

            _ = toc.Xattrs(entry);
        }

        for (var span = 0; span < index.Spans.Count; span++)
            _ = index.Spans[new SpanId(span)];
        index.VerifyWindows();
    }
}
