using static LazySnapshotter.Codecs.Inflate.DeflateCodes;

namespace LazySnapshotter.Codecs.Inflate;

// Going on in the middle of a block: what was learned from its header is taken along.
internal sealed unsafe partial class Inflater
{
    /// <summary>The block that is at hand, at a pause.</summary>
    public DeflateBlock SaveBlock()
    {
        if (_part is not (Part.Symbols or Part.Stored) || _matchLeft > 0)
            throw new InvalidOperationException("the inflater has not paused");
        var hasCodes = _part == Part.Symbols && _lengthTable == _ownLengthTable;
        return new DeflateBlock
        {
            Lengths = hasCodes ? _lengths.AsSpan(0, _lengthCount + _distanceCount).ToArray() : [],
            LengthCount = hasCodes ? _lengthCount : 0,
            StoredLeft = _part == Part.Stored ? _storedLeft : null,
            IsLast = _isLastBlock,
        };
    }

    /// <summary>Goes on inside a block.</summary>
    /// <param name="bitOffset">The bit (0 to 7) of the first input byte at which the pause was.</param>
    public void Resume(DeflateBlock block, int bitOffset)
    {
        Reset(bitOffset);
        _isLastBlock = block.IsLast;
        _storedLeft = block.StoredLeft ?? 0;
        _firstPart = block.StoredLeft is null ? Part.Symbols : Part.Stored;
        (_lengthTable, _distanceTable) = (FixedLengthTable, FixedDistanceTable);
        if (block.Lengths.Length == 0)
            return;

        block.Lengths.CopyTo(_lengths, 0);
        (_lengthCount, _distanceCount) = (block.LengthCount, block.Lengths.Length - block.LengthCount);
        (_lengthTable, _distanceTable) = (_ownLengthTable, _ownDistanceTable);
        if (!BuildTables())
            throw new InvalidOperationException($"a block's codes that were good are not: {Error}");
        _part = Part.FirstBit;
    }
}
