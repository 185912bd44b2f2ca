using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots;

// Which images the mounter was told of, so that each pull announces its image once, with its first layer. A layer that
// is asked for a second time, or that no announcement named, is a new pull and announces again.
internal sealed class AnnouncedImages(ILayerMounter mounter)
{
    // Pulls that stopped half-way leave an entry behind; the oldest make room.
    private const int PullCountMax = 256;

    private readonly Lock _gate = new();
    private readonly OrderedDictionary<string, HashSet<Digest>> _awaited = new(StringComparer.Ordinal);

    public void AnnounceOnce(RemoteImage image, Digest layer)
    {
        var key = image.Reference + " " + image.ManifestDigest;
        lock (_gate)
        {
            if (_awaited.TryGetValue(key, out var awaited) && awaited.Remove(layer))
            {
                if (awaited.Count == 0)
                    _awaited.Remove(key);
                return;
            }

            _awaited.Remove(key);
            var others = image.Layers.Where(other => other != layer).ToHashSet();
            if (others.Count > 0)
                _awaited.Add(key, others);
            if (_awaited.Count > PullCountMax)
                _awaited.RemoveAt(0);
        }

        mounter.Announce(image);
    }
}
