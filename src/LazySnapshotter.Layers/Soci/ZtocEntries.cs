using System.Text;
using LazySnapshotter.Layers.Soci.FlatBuffers;
using LazySnapshotter.Layers.Tar;
using static LazySnapshotter.Layers.Soci.ZtocSchema;

namespace LazySnapshotter.Layers.Soci;

// Turns the entries of a zTOC back into tar entries, in the order of the tar, and so checks them: each must leave room for
// its header behind the data of the one before, and its data must lie in the tar.
internal sealed class ZtocEntries(Ztoc ztoc, bool dropXattrs)
{
    private static readonly byte[] XattrPrefix = "SCHILY.xattr."u8.ToArray();
    private static readonly byte[] SparsePrefix = "GNU.sparse."u8.ToArray();

    private long _recordBytes;

    /// <exception cref="InvalidDataException">An entry no tar has, or that a zTOC cannot describe; the message names it.</exception>
    public void AddTo(ITarSink sink)
    {
        if (ztoc.EntryCount > TarLimits.EntryCountMax)
            throw new InvalidDataException($"zTOC: {ztoc.EntryCount} entries, more than {TarLimits.EntryCountMax}");
        var tables = ztoc.Metadata();
        var headerOffset = 0L;
        foreach (var i in Order(tables))
        {
            var entry = Read(tables.Table(i), headerOffset);
            sink.Add(entry);
            headerOffset = entry.Type == TarEntryType.File ? Padded(entry.DataOffset + StoredLength(entry)) : entry.DataOffset;
        }
    }

    /// <summary>Soci sorts entries by where their data starts; its own zTOCs are sorted already.</summary>
    private static int[] Order(FlatVector tables)
    {
        var offsets = new long[tables.Count];
        var order = new int[tables.Count];
        var sorted = true;
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
            offsets[i] = tables.Table(i).Int64(FileMetadata.UncompressedOffset);
            sorted &= i == 0 || offsets[i - 1] <= offsets[i];
        }

        if (!sorted)
            Array.Sort(offsets, order);
        return order;
    }

    private TarEntry Read(FlatTable table, long headerOffset)
    {
        var name = table.Bytes(FileMetadata.Name);
        try
        {
            return Read(table, name, headerOffset);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"zTOC, entry {Toc.TarPath.Display(name)}: {exception.Message}", exception);
        }
    }

    private TarEntry Read(FlatTable table, ReadOnlySpan<byte> name, long headerOffset)
    {
        if (!ZtocEntryTypes.TryParse(table.Bytes(FileMetadata.Type), out var type))
            throw new InvalidDataException($"type {Toc.TarPath.Display(table.Bytes(FileMetadata.Type))} is unknown");
        var dataOffset = table.Int64(FileMetadata.UncompressedOffset);
        if (dataOffset % TarHeaderBlock.Length != 0
            || dataOffset < headerOffset + TarHeaderBlock.Length || dataOffset > ztoc.UncompressedLength)
            throw new InvalidDataException($"its data starts at {dataOffset}, where its header can start at {headerOffset} and the tar " +
                $"has {ztoc.UncompressedLength} bytes");
        var size = table.Int64(FileMetadata.UncompressedSize);
        if (size is < 0 or > TarLimits.FileLengthMax)
            throw new InvalidDataException($"{size} bytes, not 0 to {TarLimits.FileLengthMax}");

        // Soci keeps a time it cannot write as no text at all, and a tree has no times before 1970 anyway.
        _ = GoTime.TryParse(table.Bytes(FileMetadata.Mtime), out var mtimeSeconds, out var mtimeNanoseconds);
        var xattrs = new List<TarXattr>();
        var sparse = ReadRecords(table.Offsets(FileMetadata.PaxRecords), xattrs, size);
        var stored = sparse?.Sum(extent => extent.Length) ?? size;
        if (type == TarEntryType.File && stored > ztoc.UncompressedLength - dataOffset)
            throw new InvalidDataException(
                $"its data from {dataOffset} to {dataOffset + stored} leaves the tar of {ztoc.UncompressedLength} bytes");

        return new TarEntry
        {
            Type = type,
            Name = name.ToArray(),
            LinkName = table.Bytes(FileMetadata.LinkName).ToArray(),
            Mode = table.Int64(FileMetadata.Mode),
            Uid = table.UInt32(FileMetadata.Uid),
            Gid = table.UInt32(FileMetadata.Gid),
            MtimeSeconds = mtimeSeconds,
            MtimeNanoseconds = mtimeNanoseconds,
            Size = type == TarEntryType.File ? size : 0,
            DeviceMajor = table.Int64(FileMetadata.DeviceMajor),
            DeviceMinor = table.Int64(FileMetadata.DeviceMinor),
            Xattrs = dropXattrs ? [] : xattrs,
            HeaderOffset = headerOffset,
            DataOffset = dataOffset,
            Sparse = type == TarEntryType.File ? sparse : null,
        };
    }

    /// <summary>Collects the extended attributes; returns the map of a sparse file.</summary>
    private SparseExtent[]? ReadRecords(FlatVector records, List<TarXattr> xattrs, long size)
    {
        SparseExtent[]? sparse = null;
        for (var i = 0; i < records.Count; i++)
        {
            var record = records.Table(i);
            var key = record.Bytes(Xattr.Key);
            var value = record.Bytes(Xattr.Value);
            _recordBytes += key.Length + value.Length + 1;
            if (_recordBytes > ZtocLimits.RecordBytesMax)
                throw new InvalidDataException($"the zTOC has more than {ZtocLimits.RecordBytesMax} bytes of pax records");

            if (key.StartsWith(XattrPrefix))
                AddXattr(xattrs, key[XattrPrefix.Length..], value);
            else if (key.StartsWith(SparsePrefix))
                sparse = ReadSparse(key[SparsePrefix.Length..], value, size) ?? sparse;
        }

        return sparse;
    }

    private static void AddXattr(List<TarXattr> xattrs, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.IsEmpty || name.Length > TarLimits.XattrNameLengthMax || name.Contains((byte)0))
            throw new InvalidDataException($"xattr name of {name.Length} bytes is not valid");
        if (value.Length > TarLimits.XattrValueLengthMax)
            throw new InvalidDataException($"xattr value of {value.Length} bytes is longer than {TarLimits.XattrValueLengthMax}");
        if (xattrs.Count == TarLimits.XattrCountMax)
            throw new InvalidDataException($"more than {TarLimits.XattrCountMax} xattrs on one entry");
        xattrs.Add(new TarXattr(name.ToArray(), value.ToArray()));
    }

    // A sparse file's map is in its pax records in formats 0.0 and 0.1. In format 1.0 it is in front of the data, where no
    // zTOC has it: soci reads such a file wrong, we do not read it from this zTOC at all.
    private static SparseExtent[]? ReadSparse(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long size)
    {
        if (key.SequenceEqual("major"u8) && !value.SequenceEqual("0"u8))
            throw new InvalidDataException(
                $"a sparse file of format {Encoding.ASCII.GetString(value[..Math.Min(value.Length, 8)])}, whose map is not in a zTOC");
        return key.SequenceEqual("map"u8) ? SparseMap.FromText(value).Complete(size) : null;
    }

    private static long StoredLength(TarEntry entry) => entry.Sparse?.Sum(extent => extent.Length) ?? entry.Size;

    private static long Padded(long length) => (length + TarHeaderBlock.Length - 1) & ~(TarHeaderBlock.Length - 1L);
}
