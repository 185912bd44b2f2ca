namespace LazySnapshotter.Codecs.Inflate;

// The block in which an inflater has paused: what it takes, beside the output so far and the rest of the input, to go on
// elsewhere. Immutable, and opaque outside.
public sealed class DeflateBlock
{
    /// <summary>Code lengths of a block with codes of its own; empty: the fixed codes, or none.</summary>
    internal byte[] Lengths { get; init; } = [];

    /// <summary>How many of the lengths are those of literals and lengths; the rest is for distances.</summary>
    internal int LengthCount { get; init; }

    /// <summary>Bytes that are left of a stored block; null: a compressed one.</summary>
    internal int? StoredLeft { get; init; }

    internal bool IsLast { get; init; }
}
