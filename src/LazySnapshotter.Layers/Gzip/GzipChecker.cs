namespace LazySnapshotter.Layers.Gzip;

// The second half of reading a gzip blob: takes the chunks in order, checks each member's CRC-32 and length against its
// trailer, and tells a sink what is in them.
internal sealed class GzipChecker(IGzipSink sink)
{
    private uint _crc;
    private long _memberUncompressedStart;

    public long UncompressedOffset { get; private set; }

    /// <exception cref="InvalidDataException">A member is damaged; the message has the offset.</exception>
    public void Take(GzipChunk chunk)
    {
        var position = 0;
        foreach (var happened in chunk.Events)
        {
            Pass(chunk.Output[position..happened.Position]);
            position = happened.Position;
            switch (happened.Kind)
            {
                case GzipEventKind.BlockEnd:
                    sink.BlockEnd(happened.Value);
                    break;
                case GzipEventKind.MemberEnd:
                    EndMember(happened);
                    break;
                default:
                    sink.BlockStart(happened.Value, UncompressedOffset, happened.Kind == GzipEventKind.MemberStart);
                    break;
            }
        }

        Pass(chunk.Output[position..]);
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        _crc = Crc32.Append(_crc, bytes);
        UncompressedOffset += bytes.Length;
        sink.Uncompressed(bytes);
    }

    private void EndMember(in GzipEvent end)
    {
        var length = UncompressedOffset - _memberUncompressedStart;
        if (end.Crc != _crc)
            throw Broken(end, $"the member at {end.Value} has CRC {_crc:x8} but says {end.Crc:x8}");
        if (end.Length != (uint)length)
            throw Broken(end, $"the member at {end.Value} has {length} bytes but says {end.Length} (modulo 2^32)");
        _crc = 0;
        _memberUncompressedStart = UncompressedOffset;
    }

    private static InvalidDataException Broken(in GzipEvent end, string what) =>
        new($"gzip, compressed offset {end.CompressedOffset}: {what}");
}
