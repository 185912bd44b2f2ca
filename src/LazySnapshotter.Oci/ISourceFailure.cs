namespace LazySnapshotter.Oci;

// What an IOException of a source says about itself to those who know nothing of sources: whether they may ask again.
public interface ISourceFailure
{
    /// <summary>
    /// The host behind the source is in trouble, and was asked again as often as is right. Asking once more, or for something
    /// else that lies there, only adds to it.
    /// </summary>
    bool IsFinal { get; }
}
