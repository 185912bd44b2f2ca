namespace LazySnapshotter.Layers.Placement;

// Decides at which block boundaries a layer gets checkpoints, while it streams by. It is told, in the order of the
// uncompressed stream, where blocks start and end and where reads of files will start and end; it answers, a while
// later and in order, with what it chose. Of several boundaries with the same output before them (pigz ends its chunks
// with empty blocks) the last one counts, and only if output follows: no span is empty. What is chosen depends on the
// layer alone, never on how it was cut into calls.
internal abstract class CheckpointChooser(Action<Checkpoint> chosen)
{
    /// <summary>The first place that may still be chosen; null: none of those that were offered.</summary>
    public abstract Checkpoint? Undecided { get; }

    /// <summary>Whether <see cref="BlockEnd"/> wants real numbers, and <see cref="Mark"/> is of use.</summary>
    public virtual bool NeedsReach => false;

    /// <summary>A block starts here: all before has been told.</summary>
    public abstract void BlockStart(in Checkpoint start);

    /// <summary>A span that goes on from the one before may start here, inside a block.</summary>
    public virtual void Mark(in Checkpoint mark)
    {
    }

    /// <summary>The block that started last has ended.</summary>
    /// <param name="reachBytes">How many bytes of it are copies from before it: stands for the size of its window.</param>
    public virtual void BlockEnd(long reachBytes)
    {
    }

    /// <summary>A read may begin at this place, where output is; weighed in tenths of a file.</summary>
    public virtual void ReadStart(long uncompressedOffset, int weight)
    {
    }

    /// <summary>A read may end at this place.</summary>
    public virtual void ReadEnd(long uncompressedOffset, int weight)
    {
    }

    /// <summary>There is output up to here, and no block started and no read began or ended between the last call and here.</summary>
    public abstract void Advance(long uncompressedOffset);

    /// <summary>
    /// Too many compressed bytes are waiting for a decision: decides all it can, and forgets what starts before
    /// <paramref name="compressedOffset"/>.
    /// </summary>
    public abstract void Force(long compressedOffset);

    /// <summary>The layer has ended.</summary>
    public abstract void Complete(long compressedLength, long uncompressedLength);

    protected void Choose(in Checkpoint checkpoint) => chosen(checkpoint);
}
