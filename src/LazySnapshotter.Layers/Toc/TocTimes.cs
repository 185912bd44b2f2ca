namespace LazySnapshotter.Layers.Toc;

// Numbers the distinct times of a layer's entries in the order in which they first occur. Files of one package mostly
// share a time; where they do not there are as many as entries, so the table holds numbers and no copies.
internal sealed class TocTimes
{
    private readonly TocColumns _columns;
    private readonly List<int> _firstEntries = [];
    private int[] _slots = new int[1024]; // number + 1 of a time, open addressing

    public TocTimes(TocColumns columns)
    {
        _columns = columns;
        Numbers = new int[columns.Types.Length];
        for (var entry = 0; entry < Numbers.Length; entry++)
            Numbers[entry] = NumberOf(entry);
    }

    public int Count => _firstEntries.Count;

    /// <summary>For each distinct time, the first entry that has it.</summary>
    public IReadOnlyList<int> FirstEntries => _firstEntries;

    /// <summary>For each entry, the number of its time.</summary>
    public int[] Numbers { get; }

    private int NumberOf(int entry)
    {
        var slot = SlotOf(entry);
        if (_slots[slot] > 0)
            return _slots[slot] - 1;

        _firstEntries.Add(entry);
        _slots[slot] = _firstEntries.Count;
        if (_firstEntries.Count * 2 > _slots.Length)
            Grow();
        return _firstEntries.Count - 1;
    }

    private int SlotOf(int entry)
    {
        var (seconds, nanoseconds) = (_columns.MtimeSeconds[entry], _columns.MtimeNanoseconds[entry]);
        var slot = HashCode.Combine(seconds, nanoseconds) & (_slots.Length - 1);
        for (; _slots[slot] > 0; slot = (slot + 1) & (_slots.Length - 1))
        {
            var first = _firstEntries[_slots[slot] - 1];
            if (_columns.MtimeSeconds[first] == seconds && _columns.MtimeNanoseconds[first] == nanoseconds)
                break;
        }

        return slot;
    }

    private void Grow()
    {
        _slots = new int[_slots.Length * 2];
        for (var number = 0; number < _firstEntries.Count; number++)
            _slots[SlotOf(_firstEntries[number])] = number + 1;
    }
}
