using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// The distinct sets of extended attributes of a layer under construction. Thousands of files often carry the same
// one (an SELinux label), so equal sets are kept once.
internal sealed class TocXattrSets : IEqualityComparer<TocXattr[]>
{
    private readonly Dictionary<TocXattr[], int> _indexes;
    private readonly List<TocXattr[]> _sets = [];
    private long _bytes;

    public TocXattrSets() => _indexes = new(this);

    public TocXattr[] this[int set] => _sets[set];

    /// <summary>The set that another one becomes with some attributes more; the new values win.</summary>
    public int With(int set, IEnumerable<TocXattr> added)
    {
        var merged = set < 0 ? [] : new List<TocXattr>(_sets[set]);
        foreach (var xattr in added)
        {
            var same = merged.FindIndex(other => other.Name.Span.SequenceEqual(xattr.Name.Span));
            if (same < 0)
                merged.Add(xattr);
            else
                merged[same] = xattr;
        }

        if (merged.Count == 0)
            return -1;
        if (merged.Count > TarLimits.XattrCountMax)
            throw new InvalidDataException($"more than {TarLimits.XattrCountMax} xattrs on one entry");
        merged.Sort((left, right) => left.Name.Span.SequenceCompareTo(right.Name.Span));
        return Intern([.. merged]);
    }

    public bool Equals(TocXattr[]? x, TocXattr[]? y)
    {
        if (x is null || y is null || x.Length != y.Length)
            return false;
        for (var i = 0; i < x.Length; i++)
        {
            if (!x[i].Name.Span.SequenceEqual(y[i].Name.Span) || !x[i].Value.Span.SequenceEqual(y[i].Value.Span))
                return false;
        }

        return true;
    }

    public int GetHashCode(TocXattr[] obj)
    {
        var hash = new HashCode();
        foreach (var xattr in obj)
        {
            hash.AddBytes(xattr.Name.Span);
            hash.AddBytes(xattr.Value.Span);
        }

        return hash.ToHashCode();
    }

    private int Intern(TocXattr[] set)
    {
        if (_indexes.TryGetValue(set, out var index))
            return index;

        foreach (var xattr in set)
            _bytes += xattr.Name.Length + xattr.Value.Length;
        if (_bytes > TarLimits.XattrBytesMax)
            throw new InvalidDataException($"xattrs of more than {TarLimits.XattrBytesMax} bytes together");
        _sets.Add(set);
        _indexes.Add(set, _sets.Count - 1);
        return _sets.Count - 1;
    }
}
