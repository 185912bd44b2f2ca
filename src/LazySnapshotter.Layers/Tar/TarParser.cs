namespace LazySnapshotter.Layers.Tar;

// Reads a tar as it streams by: ustar, v7, star, GNU and pax, with what containerd (Go's archive/tar) tolerates. Bytes
// go in through Append in pieces of any size, entries come out at the sink as soon as their headers are whole; file
// data is passed over. Memory is bounded by TarLimits whatever the tar says.
//
// Format variants meet in one place, TarParser.Entry.cs; this file only cuts the stream into blocks.
//
// A parser that keeps headers hands out TarEntry.Header as well, and takes the size of a hard link for what Go takes it:
// nothing follows, whatever it says.
internal sealed partial class TarParser(ITarSink sink, bool keepHeaders = false)
{
    private enum Part
    {
        Header,

        /// <summary>The data of a pax header, a long name or a long link.</summary>
        Metadata,

        /// <summary>A block of the map at the head of a pax 1.0 sparse file's data.</summary>
        Sparse10,

        Data,

        /// <summary>One zero block was read; a second one ends the archive.</summary>
        HalfEnd,

        End,
    }

    private readonly byte[] _block = new byte[TarHeaderBlock.Length];
    private int _blockLength;
    private Part _part = Part.Header;
    private long _dataRemaining;

    /// <summary>How much of the tar has been read.</summary>
    public long Offset { get; private set; }

    /// <exception cref="InvalidDataException">Not a tar, or damaged; the message has the offset.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var consumed = _part switch
            {
                Part.End => bytes.Length, // whatever lies behind the end of the archive
                Part.Data => SkipData(bytes),
                Part.Metadata => CollectMetadata(bytes),
                _ => CollectBlock(bytes),
            };
            bytes = bytes[consumed..];
        }
    }

    /// <exception cref="InvalidDataException">The tar ends in the middle of something.</exception>
    public void Complete()
    {
        // Like Go, accept an archive without its closing zero blocks, as long as it ends between two entries.
        var betweenEntries = _part is Part.End or Part.HalfEnd || (_part == Part.Header && _blockLength == 0 && !HasPendingHeaders);
        if (!betweenEntries || (_part == Part.HalfEnd && _blockLength != 0))
            throw Broken(Offset, $"the tar is cut short inside {Describe(_part)}");
    }

    private int SkipData(ReadOnlySpan<byte> bytes)
    {
        var consumed = (int)Math.Min(bytes.Length, _dataRemaining);
        _dataRemaining -= consumed;
        Offset += consumed;
        if (_dataRemaining == 0)
            _part = Part.Header;
        return consumed;
    }

    private int CollectBlock(ReadOnlySpan<byte> bytes)
    {
        var consumed = Math.Min(bytes.Length, TarHeaderBlock.Length - _blockLength);
        bytes[..consumed].CopyTo(_block.AsSpan(_blockLength));
        _blockLength += consumed;
        Offset += consumed;
        if (_blockLength < TarHeaderBlock.Length)
            return consumed;

        _blockLength = 0;
        try
        {
            TakeBlock();
        }
        catch (InvalidDataException exception)
        {
            throw Broken(Offset - TarHeaderBlock.Length, exception.Message, exception);
        }

        return consumed;
    }

    private void TakeBlock()
    {
        switch (_part)
        {
            case Part.Sparse10:
                TakeSparse10Block(_block);
                break;
            case Part.HalfEnd:
                if (!new TarHeaderBlock(_block).IsZero)
                    throw new InvalidDataException("a zero block is followed by something else than a second one");
                _part = Part.End;
                break;
            default:
                TakeHeaderBlock();
                break;
        }
    }

    /// <summary>Passes over so many bytes, then expects the next header.</summary>
    private void Skip(long length)
    {
        _dataRemaining = length;
        _part = _dataRemaining > 0 ? Part.Data : Part.Header;
    }

    private static long Padded(long length) => (length + TarHeaderBlock.Length - 1) & ~(TarHeaderBlock.Length - 1L);

    private static string Describe(Part part) => part switch
    {
        Part.Data => "a file's data",
        Part.Metadata => "an extended header",
        Part.Sparse10 => "a sparse file's map",
        _ => "a header",
    };

    private static InvalidDataException Broken(long offset, string what, Exception? cause = null) =>
        new($"tar, uncompressed offset {offset}: {what}", cause);
}
