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

    /// <summary>The value an attribute has in a set, -1 for none; null if it has no such attribute.</summary>
    public ReadOnlyMemory<byte>? Find(int set, ReadOnlySpan<byte> name)
    {
        if (set < 0)
            return null;
        foreach (var xattr in _sets[set])
        {
            if (xattr.Name.Span.SequenceEqual(name))
                return xattr.Value;
        }

        return null;
    }

    /// <summary>A set, -1 for none, to be changed.</summary>
    public List<TocXattr> CopyOf(int set) => set < 0 ? [] : [.. _sets[set]];

    /// <summary>The number of a set with these attributes, whatever their order; -1 for none.</summary>
    public int NumberOf(List<TocXattr> xattrs)
    {
        if (xattrs.Count == 0)
            return -1;
        if (xattrs.Count > TarLimits.XattrCountMax)
            throw new InvalidDataException($"more than {TarLimits.XattrCountMax} xattrs on one entry");
        xattrs.Sort(static (left, right) => left.Name.Span.SequenceCompareTo(right.Name.Span));
        return Intern([.. xattrs]);
    }

    /// <summary>The set that another one, -1 for none, becomes with an attribute more, or with another value for it.</summary>
    public int With(int set, TocXattr added)
    {
        var xattrs = CopyOf(set);
        xattrs.RemoveAll(xattr => xattr.Name.Span.SequenceEqual(added.Name.Span));
        xattrs.Add(added);
        return NumberOf(xattrs);
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
