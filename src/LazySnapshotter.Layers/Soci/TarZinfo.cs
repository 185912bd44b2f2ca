using LazySnapshotter.Layers.Soci.FlatBuffers;
using Schema = LazySnapshotter.Layers.Soci.ZtocSchema.TarZinfo;

namespace LazySnapshotter.Layers.Soci;

// What stands in place of checkpoints where the layer is not compressed: a FlatBuffer of its own that says how long the
// spans are, and the tar.
internal static class TarZinfo
{
    public static byte[] Write(long spanLength, long size)
    {
        var builder = new FlatBufferBuilder(Schema.FieldCount, 64);
        builder.StartTable(Schema.FieldCount);
        builder.AddInt32(Schema.Version, ZtocSchema.TarZinfoVersion);
        builder.AddInt64(Schema.SpanLength, spanLength);
        builder.AddInt64(Schema.Size, size);
        return builder.Finish(builder.EndTable()).ToArray();
    }

    /// <exception cref="InvalidDataException">Not a TarZinfo, or of an unknown version.</exception>
    public static (long SpanLength, long Size) Read(ReadOnlySpan<byte> bytes)
    {
        var table = new FlatBuffer(bytes, "zTOC, tar zinfo").Root();
        var version = table.Int32(Schema.Version);
        if (version != ZtocSchema.TarZinfoVersion)
            throw new InvalidDataException($"zTOC, tar zinfo: version {version}, not {ZtocSchema.TarZinfoVersion}");
        return (table.Int64(Schema.SpanLength), table.Int64(Schema.Size));
    }
}
