using System.Collections.Concurrent;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Pulling;

// Opens layers for containerd, which waits in Prepare and can do without us. What a registry does not give is soon given up
// (Decision), for all layers of the image at once (PullDecision). What is under way has all the time it takes, as long as
// something comes; as a last net a wait ends when nothing has come for silenceMax, whatever the reason.
public sealed class PullDecisions(LayerCatalog catalog, TimeSpan silenceMax, TimeProvider clock, ILogger logger)
{
    /// <summary>Longer than any single wait for a registry: what ends by it has stopped for another reason.</summary>
    public static readonly TimeSpan DefaultSilenceMax = TimeSpan.FromMinutes(5);

    // Those of pulls long over; what is dropped is found out again.
    private const int ImagesMax = 256;

    private readonly ConcurrentDictionary<LayerOrigin, PullDecision> _images = new();

    /// <summary>A new pull: what was found out in the last one counts no more.</summary>
    public void Begin(LayerOrigin origin)
    {
        if (_images.Count >= ImagesMax)
            _images.Clear();
        _images[origin] = new PullDecision();
    }

    /// <exception cref="RegistryTroubleException">A registry does not give it; the log says why.</exception>
    /// <inheritdoc cref="LayerCatalog.OpenAsync"/>
    public async Task<LazyLayer> OpenAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken)
    {
        var image = _images.GetOrAdd(origin, _ => new PullDecision());
        try
        {
            // What is on this node needs nobody's answer.
            var isHere = await catalog.TryOpenAsync(origin.Image, layer, cancellationToken) is not null;
            using var first = isHere ? null : await image.EnterAsync(cancellationToken);
            var opening = image.Registry.RunAsync(() => catalog.OpenAsync(origin, layer, cancellationToken));
            var opened = await UntilSilentAsync(image, layer, opening, cancellationToken);
            image.Succeeded();
            return opened;
        }
        catch (RegistryException e)
        {
            if (image.Failed(e))
                Tell(origin.Image, image, e);
            throw new RegistryTroubleException(e);
        }
    }

    private async Task<LazyLayer> UntilSilentAsync(
        PullDecision image, Digest layer, Task<LazyLayer> opening, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var left = silenceMax - clock.GetElapsedTime(Math.Max(started, image.Registry.HeardAt));
            if (left <= TimeSpan.Zero)
                throw new IOException($"{layer}: not ready, and nothing has come for {silenceMax.TotalSeconds:0.###} s");
            try
            {
                return await opening.WaitAsync(left, clock, cancellationToken);
            }
            catch (TimeoutException) when (!opening.IsCompleted)
            {
                // Perhaps something came.
            }
        }
    }

    private void Tell(ImageReference image, PullDecision decision, RegistryException e)
    {
        var level = decision.Registry.IsNews(e) ? LogLevel.Warning : LogLevel.Information;
        NodeLog.ImageNotLazy(logger, level, image, e.Message);
    }
}
