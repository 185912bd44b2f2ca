namespace LazySnapshotter.Codecs.Gzip;

// Tells a sink what is in the chunks of a gzip blob, and what happened between their bytes, in the order in which it did.
// Chunks go in in order, checked (GzipChecker) or not.
internal sealed class GzipTeller(IGzipSink sink)
{
    private long _uncompressedOffset;

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
                case GzipEventKind.Mark:
                    sink.Mark(happened.Value, _uncompressedOffset);
                    break;
                case GzipEventKind.BlockStart or GzipEventKind.MemberStart:
                    sink.BlockStart(happened.Value, _uncompressedOffset, happened.Kind == GzipEventKind.MemberStart);
                    break;
            }
        }

        Pass(chunk.Output[position..]);
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        _uncompressedOffset += bytes.Length;
        sink.Uncompressed(bytes);
    }
}
