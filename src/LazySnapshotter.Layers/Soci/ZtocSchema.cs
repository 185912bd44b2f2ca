namespace LazySnapshotter.Layers.Soci;

// The tables of a zTOC 0.9 (soci's ztoc/fbs/ztoc.fbs and ztoc/compression/fbs/zinfo.fbs): their fields by number, and how
// many there are. The root is a Ztoc.
internal static class ZtocSchema
{
    public static ReadOnlySpan<byte> Version => "0.9"u8;

    /// <summary>Fields of the table that has most.</summary>
    public const int FieldCountMax = FileMetadata.FieldCount;

    public static class Ztoc
    {
        public const int Version = 0;
        public const int BuildTool = 1;
        public const int CompressedLength = 2;
        public const int UncompressedLength = 3;
        public const int Toc = 4;
        public const int CompressionInfo = 5;
        public const int FieldCount = 6;
    }

    public static class Toc
    {
        public const int Metadata = 0;
        public const int FieldCount = 1;
    }

    public static class FileMetadata
    {
        public const int Name = 0;
        public const int Type = 1;
        public const int UncompressedOffset = 2;
        public const int UncompressedSize = 3;
        public const int LinkName = 4;
        public const int Mode = 5;
        public const int Uid = 6;
        public const int Gid = 7;
        public const int UserName = 8;
        public const int GroupName = 9;
        public const int Mtime = 10;
        public const int DeviceMajor = 11;
        public const int DeviceMinor = 12;

        /// <summary>Called xattrs, but all records of the entry's pax header.</summary>
        public const int PaxRecords = 13;
        public const int FieldCount = 14;
    }

    /// <summary>Any record of a pax header.</summary>
    public static class Xattr
    {
        public const int Key = 0;
        public const int Value = 1;
        public const int FieldCount = 2;
    }

    public static class CompressionInfo
    {
        public const int Algorithm = 0;
        public const int SpanIdMax = 1;
        public const int SpanDigests = 2;
        public const int Checkpoints = 3;
        public const int FieldCount = 4;
    }

    /// <summary>Values of <see cref="CompressionInfo.Algorithm"/>; gzip is the default and left out.</summary>
    public static class Algorithm
    {
        public const sbyte Gzip = 1;
        public const sbyte Uncompressed = 2;
    }

    public static class TarZinfo
    {
        public const int Version = 0;
        public const int SpanLength = 1;
        public const int Size = 2;
        public const int FieldCount = 3;
    }

    public const int TarZinfoVersion = 2;
}
