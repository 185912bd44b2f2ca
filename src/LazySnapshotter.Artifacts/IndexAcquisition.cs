using System.Runtime.CompilerServices;
using LazySnapshotter.Layers;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts;

// Asks the sources of indexes, one after the other (DESIGN D7): what one of them refuses or cannot get, the next may have.
// Whoever wants an index looks at the answers as they come, and stops at the one that will do.
public sealed class IndexAcquisition(IReadOnlyList<ILayerIndexSource> sources)
{
    public IReadOnlyList<ILayerIndexSource> Sources => sources;

    /// <summary>What a source fails with; anything else is a fault of ours. A full disk at one of them need not stop the next.</summary>
    public static bool IsExpected(Exception e) =>
        e is IOException or InvalidDataException or UnsupportedLayerException or UnauthorizedAccessException;

    /// <summary>Every source's answer. A source is asked when its answer is looked for.</summary>
    /// <param name="identity">As in <see cref="ILayerIndexSource.ObtainAsync"/>.</param>
    /// <param name="isAsked">Which sources are; all of them where it is null.</param>
    public async IAsyncEnumerable<SourceAnswer> AskAsync(
        LayerOrigin origin, Digest layer, string? identity, Func<ILayerIndexSource, bool>? isAsked = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var source in sources)
        {
            if (isAsked?.Invoke(source) != false)
                yield return await AskOneAsync(source, origin, layer, identity, cancellationToken);
        }
    }

    private static async Task<SourceAnswer> AskOneAsync(
        ILayerIndexSource source, LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken)
    {
        try
        {
            return new SourceAnswer(source, await source.ObtainAsync(origin, layer, identity, cancellationToken), Failure: null);
        }
        catch (Exception e) when (IsExpected(e))
        {
            return new SourceAnswer(source, Obtained: null, e);
        }
    }
}

/// <param name="Obtained">The caller's to dispose; null if the source has none that can be used.</param>
/// <param name="Failure">Why it cannot say, or refuses what there is; otherwise null.</param>
public readonly record struct SourceAnswer(ILayerIndexSource Source, ObtainedIndex? Obtained, Exception? Failure);
