using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Client;

// Which manifest of an index is meant for a platform, as containerd chooses: the entry for the platform itself before those
// for others that its machines run as well, of equals the first; entries without a platform only where none of these is there.
// (Attestations are for unknown/unknown, which is nobody's platform.)
public static class PlatformChoice
{
    /// <exception cref="InvalidDataException">None is; the message lists what there is.</exception>
    public static Descriptor Of(ImageIndex index, Platform wanted, string what)
    {
        var candidates = index.Manifests.Where(IsImage).ToList();
        return candidates.Where(m => m.Platform is not null && wanted.Runs(m.Platform)).MinBy(m => wanted.RankOf(m.Platform!))
            ?? candidates.Where(m => m.Platform is null).MinBy(m => m.ArtifactType is null ? 0 : 1)
            ?? throw new InvalidDataException($"{what}: nothing for {wanted}{Offered(index, candidates)}");
    }

    private static bool IsImage(Descriptor descriptor) =>
        MediaTypes.IsManifest(descriptor.MediaType) || MediaTypes.IsIndex(descriptor.MediaType);

    private static string Offered(ImageIndex index, IReadOnlyList<Descriptor> candidates)
    {
        const int NamedMax = 20;
        if (index.Manifests.Count + index.Unusable.Count == 0)
            return ", the index is empty";
        var names = candidates.Select(m => m.Platform!.ToString())
            .Concat(index.Manifests.Except(candidates).Select(m => $"entries of type {m.MediaType}"))
            .Distinct().Take(NamedMax).ToList();
        return (names.Count == 0 ? "" : $", only for {string.Join(", ", names)}") + string.Concat(
            index.Unusable.Take(1).Select(why => $"; {why}"));
    }
}
