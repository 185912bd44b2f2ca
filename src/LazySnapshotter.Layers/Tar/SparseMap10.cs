namespace LazySnapshotter.Layers.Tar;

// The map of pax sparse format 1.0, which lies at the head of the file's data: a count, then offset and length of each
// piece, in decimal, a newline after each number; padded to whole blocks.
internal sealed class SparseMap10
{
    private const int DigitsMax = 19;

    private readonly SparseMap _map = new();
    private long _count = -1;
    private long _added;
    private long _offset = -1;
    private long _number;
    private int _digits;

    public SparseMap Map => _map;

    /// <summary>Reads one block; returns whether the map ends in it.</summary>
    public bool Append(ReadOnlySpan<byte> block)
    {
        foreach (var value in block)
        {
            if (value is >= (byte)'0' and <= (byte)'9' && ++_digits < DigitsMax)
                _number = _number * 10 + (value - '0');
            else if (value == '\n' && _digits > 0)
                EndNumber();
            else
                throw new InvalidDataException("sparse map entry is not a number");

            if (_added == _count)
                return true;
        }

        return false;
    }

    private void EndNumber()
    {
        if (_count < 0)
        {
            if (_number > TarLimits.SparseExtentCountMax)
                throw new InvalidDataException($"sparse map with {_number} entries, more than {TarLimits.SparseExtentCountMax}");
            _count = _number;
        }
        else if (_offset < 0)
        {
            _offset = _number;
        }
        else
        {
            _map.Add(_offset, _number);
            _offset = -1;
            _added++;
        }

        _number = 0;
        _digits = 0;
    }
}
