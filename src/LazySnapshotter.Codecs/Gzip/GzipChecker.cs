using System.Security.Cryptography;

namespace LazySnapshotter.Codecs.Gzip;

// The second half of reading a gzip blob: takes the chunks in order, checks each member's CRC-32 and length against its
// trailer, and adds what is in them to a digest on the way. What they mean is for GzipTeller.
internal sealed class GzipChecker(IncrementalHash? digest = null)
{
    /// <summary>A piece comes from another processor once, to be digested, and is in the nearest cache for the CRC.</summary>
    private const int PieceLengthMax = 16 * 1024;

    private uint _crc;
    private long _uncompressedOffset;
    private long _memberUncompressedStart;

    /// <exception cref="InvalidDataException">A member is damaged; the message has the offset.</exception>
    public void Take(GzipChunk chunk)
    {
        var position = 0;
        foreach (var happened in chunk.Events)
        {
            if (happened.Kind != GzipEventKind.MemberEnd)
                continue;
            Pass(chunk.Output[position..happened.Position]);
            position = happened.Position;
            EndMember(happened);
        }

        Pass(chunk.Output[position..]);
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        _uncompressedOffset += bytes.Length;
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(bytes.Length, PieceLengthMax)];
            digest?.AppendData(piece);
            _crc = Crc32.Append(_crc, piece);
            bytes = bytes[piece.Length..];
        }
    }

    private void EndMember(in GzipEvent end)
    {
        var length = _uncompressedOffset - _memberUncompressedStart;
        if (end.Crc != _crc)
            throw Broken(end, $"the member at {end.Value} has CRC {_crc:x8} but says {end.Crc:x8}");
        if (end.Length != (uint)length)
            throw Broken(end, $"the member at {end.Value} has {length} bytes but says {end.Length} (modulo 2^32)");
        _crc = 0;
        _memberUncompressedStart = _uncompressedOffset;
    }

    private static InvalidDataException Broken(in GzipEvent end, string what) =>
        new($"gzip, compressed offset {end.CompressedOffset}: {what}");
}
