namespace LazySnapshotter.Registry.Scheduling;

/// <summary>What a request moves, the smallest first (regclient's reqmeta kinds; S1.4).</summary>
internal enum TurnKind
{
    Unknown,

    /// <summary>An answer without content: HEAD, a ping, a token.</summary>
    Head,
    Manifest,

    /// <summary>Lists: referrers, tags.</summary>
    Query,

    /// <summary>Bytes of a blob, in either direction.</summary>
    Blob,
}

/// <param name="Bytes">Expected in the longer of the two directions; 0 where nobody knows.</param>
internal readonly record struct TurnLoad(TurnKind Kind, long Bytes);
