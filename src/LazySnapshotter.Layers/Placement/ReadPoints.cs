using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Placement;

// Where reads of a layer will start and end, as far as its tar tells: at the start and end of each file, and, with less
// weight, at each 128 KiB inside of it, for what is read in pieces. Entries go in as they are parsed; the points come
// out in order, each when the output has passed it.
internal sealed class ReadPoints
{
    /// <summary>Weights are counted in tenths of a file.</summary>
    public const int FileWeight = 10;

    private const int InteriorWeight = 1;
    private const long InteriorDistance = 128 * 1024;

    private readonly Queue<(long Start, long End)> _files = new();
    private bool _isInFile;
    private long _interior;
    private long _end;

    /// <summary>Where the next read starts; long.MaxValue: none is known.</summary>
    public long NextStart => _isInFile && _interior < _end
        ? _interior
        : _files.TryPeek(out var file) ? file.Start : long.MaxValue;

    public void Add(TarEntry entry)
    {
        if (entry.Type != TarEntryType.File)
            return;
        var length = entry.Sparse is { } sparse ? sparse.Sum(extent => extent.Length) : entry.Size;
        if (length > 0)
            _files.Enqueue((entry.DataOffset, entry.DataOffset + length));
    }

    /// <summary>Tells the chooser of all points before an offset, and of files that end exactly there.</summary>
    public void PassTo(long uncompressedOffset, CheckpointChooser chooser)
    {
        while (true)
        {
            if (!_isInFile)
            {
                if (!_files.TryPeek(out var file) || file.Start >= uncompressedOffset)
                    return;
                _files.Dequeue();
                chooser.ReadStart(file.Start, FileWeight);
                (_interior, _end, _isInFile) = (file.Start + InteriorDistance, file.End, true);
            }

            for (; _interior < _end; _interior += InteriorDistance)
            {
                if (_interior >= uncompressedOffset)
                    return;
                chooser.ReadEnd(_interior, InteriorWeight);
                chooser.ReadStart(_interior, InteriorWeight);
            }

            if (_end > uncompressedOffset)
                return;
            chooser.ReadEnd(_end, FileWeight);
            _isInFile = false;
        }
    }
}
