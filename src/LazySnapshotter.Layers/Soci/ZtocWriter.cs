using System.Security.Cryptography;
using System.Text;
using LazySnapshotter.Layers.Soci.FlatBuffers;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using static LazySnapshotter.Layers.Soci.ZtocSchema;

namespace LazySnapshotter.Layers.Soci;

// Writes a zTOC in the order in which soci does (ztoc/ztoc_marshaler.go), which is part of what it is: the strings of the
// root, the entries from the last to the first, each after its own strings and records, then checkpoints and digests.
internal static class ZtocWriter
{
    private const int BytesPerEntry = 320;

    public static ReadOnlyMemory<byte> Write(ZtocContent content, string buildTool)
    {
        var capacity = content.Checkpoints.Length + content.SpanDigests.Length * 3L + content.Entries.Count * (long)BytesPerEntry;
        var builder = new FlatBufferBuilder(FieldCountMax, (int)Math.Min(capacity + 1024, Array.MaxLength));
        var version = builder.AddString(ZtocSchema.Version);
        var tool = builder.AddString(Encoding.UTF8.GetBytes(buildTool));
        var toc = AddToc(builder, content.Entries);
        var compressionInfo = AddCompressionInfo(builder, content);

        builder.StartTable(ZtocSchema.Ztoc.FieldCount);
        builder.AddOffset(ZtocSchema.Ztoc.Version, version);
        builder.AddOffset(ZtocSchema.Ztoc.BuildTool, tool);
        builder.AddOffset(ZtocSchema.Ztoc.Toc, toc);
        builder.AddInt64(ZtocSchema.Ztoc.CompressedLength, content.CompressedLength);
        builder.AddInt64(ZtocSchema.Ztoc.UncompressedLength, content.UncompressedLength);
        builder.AddOffset(ZtocSchema.Ztoc.CompressionInfo, compressionInfo);
        return builder.Finish(builder.EndTable());
    }

    private static int AddToc(FlatBufferBuilder builder, IReadOnlyList<TarEntry> entries)
    {
        var positions = new int[entries.Count];
        for (var i = entries.Count - 1; i >= 0; i--)
            positions[i] = AddEntry(builder, entries[i]);
        var metadata = builder.AddOffsets(positions);
        builder.StartTable(ZtocSchema.Toc.FieldCount);
        builder.AddOffset(ZtocSchema.Toc.Metadata, metadata);
        return builder.EndTable();
    }

    private static int AddEntry(FlatBufferBuilder builder, TarEntry entry)
    {
        var header = entry.Header!;
        var name = builder.AddString(entry.Name);
        var type = builder.AddString(ZtocEntryTypes.NameOf(entry));
        var linkName = builder.AddString(entry.LinkName);
        var userName = builder.AddString(header.UserName);
        var groupName = builder.AddString(header.GroupName);
        var mtime = builder.AddString(GoTime.Format(entry.MtimeSeconds, entry.MtimeNanoseconds));
        var records = AddRecords(builder, header.PaxRecords);

        builder.StartTable(FileMetadata.FieldCount);
        builder.AddOffset(FileMetadata.Name, name);
        builder.AddOffset(FileMetadata.Type, type);
        builder.AddInt64(FileMetadata.UncompressedOffset, entry.DataOffset);
        builder.AddInt64(FileMetadata.UncompressedSize, entry.Type == TarEntryType.File ? entry.Size : header.StatedSize);
        builder.AddOffset(FileMetadata.LinkName, linkName);
        builder.AddInt64(FileMetadata.Mode, entry.Mode);
        builder.AddInt32(FileMetadata.Uid, unchecked((int)entry.Uid));
        builder.AddInt32(FileMetadata.Gid, unchecked((int)entry.Gid));
        builder.AddOffset(FileMetadata.UserName, userName);
        builder.AddOffset(FileMetadata.GroupName, groupName);
        builder.AddOffset(FileMetadata.Mtime, mtime);
        builder.AddInt64(FileMetadata.DeviceMajor, entry.DeviceMajor);
        builder.AddInt64(FileMetadata.DeviceMinor, entry.DeviceMinor);
        builder.AddOffset(FileMetadata.PaxRecords, records);
        return builder.EndTable();
    }

    private static int AddRecords(FlatBufferBuilder builder, IReadOnlyList<PaxRecord> records)
    {
        var positions = records.Count == 0 ? [] : new int[records.Count];
        for (var i = 0; i < positions.Length; i++)
        {
            var key = builder.AddString(records[i].Key);
            var value = builder.AddString(records[i].Value);
            builder.StartTable(Xattr.FieldCount);
            builder.AddOffset(Xattr.Key, key);
            builder.AddOffset(Xattr.Value, value);
            positions[i] = builder.EndTable();
        }

        return builder.AddOffsets(positions);
    }

    private static int AddCompressionInfo(FlatBufferBuilder builder, ZtocContent content)
    {
        var checkpoints = builder.AddBytes(content.Checkpoints);
        var digests = new int[content.SpanDigests.Length / SHA256.HashSizeInBytes];
        for (var i = 0; i < digests.Length; i++)
        {
            var digest = content.SpanDigests.AsSpan(i * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);
            digests[i] = builder.AddString(Encoding.ASCII.GetBytes("sha256:" + Convert.ToHexStringLower(digest)));
        }

        var digestVector = builder.AddOffsets(digests);
        builder.StartTable(CompressionInfo.FieldCount);
        builder.AddInt32(CompressionInfo.SpanIdMax, content.SpanIdMax);
        builder.AddOffset(CompressionInfo.SpanDigests, digestVector);
        builder.AddOffset(CompressionInfo.Checkpoints, checkpoints);
        builder.AddInt8(CompressionInfo.Algorithm, content.Compression == LayerCompression.Gzip
            ? Algorithm.Gzip
            : Algorithm.Uncompressed, elided: Algorithm.Gzip);
        return builder.EndTable();
    }
}
