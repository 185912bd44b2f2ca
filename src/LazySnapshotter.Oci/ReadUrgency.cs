namespace LazySnapshotter.Oci;

/// <summary>Why bytes are wanted, the soonest first.</summary>
public enum ReadUrgency
{
    /// <summary>A program waits in read(2) or in a page fault.</summary>
    Demanded,

    /// <summary>Something small that everything else waits for: a manifest, the front of an index.</summary>
    Metadata,

    /// <summary>Will probably be wanted in a moment: read-ahead, warm-up.</summary>
    Predicted,

    /// <summary>Nobody waits.</summary>
    Background,
}
