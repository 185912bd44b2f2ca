using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry;

// Which manifest of an index is meant for a platform. A variant decides only between several that would run; entries
// without a platform (attestations name unknown/unknown) count only where nothing names one.
public static class PlatformChoice
{
    /// <exception cref="InvalidDataException">None is; the message lists what there is.</exception>
    public static Descriptor Of(ImageIndex index, Platform wanted, string what)
    {
        var candidates = index.Manifests.Where(IsImage).ToList();
        var running = candidates.Where(m => m.Platform is not null && wanted.Runs(m.Platform)).ToList();
        var choice = running.FirstOrDefault(m => m.Platform!.Variant == wanted.Variant)
            ?? running.FirstOrDefault(m => m.Platform!.Variant is null)
            ?? running.FirstOrDefault()
            ?? (candidates.All(m => m.Platform is null) ? candidates.FirstOrDefault() : null);
        return choice ?? throw new InvalidDataException($"{what}: nothing for {wanted}, only for {Offered(candidates)}");
    }

    private static bool IsImage(Descriptor descriptor) =>
        MediaTypes.IsManifest(descriptor.MediaType) || MediaTypes.IsIndex(descriptor.MediaType);

    private static string Offered(IReadOnlyList<Descriptor> candidates)
    {
        const int NamedMax = 20;
        var names = candidates.Where(m => m.Platform is not null).Select(m => m.Platform!.ToString()).Distinct().Take(NamedMax).ToList();
        return names.Count == 0 ? "no platform at all" : string.Join(", ", names);
    }
}
