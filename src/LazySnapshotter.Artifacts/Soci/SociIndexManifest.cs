using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Soci;

// soci's index of an image, version 1 (subject is the image's manifest) or 2 (the image's manifest names it): a zTOC
// per layer that has one, then the lists of spans to fetch first. soci leaves out small layers (below 10 MiB by default).
internal sealed record SociIndexManifest
{
    /// <summary>Version 1 alone has one.</summary>
    public Descriptor? Subject { get; init; }

    public string? BuildTool { get; init; }

    /// <summary>In the order of the image's layers.</summary>
    public required IReadOnlyList<SociZtoc> Ztocs { get; init; }

    public IReadOnlyList<SociPrefetch> Prefetches { get; init; } = [];

    /// <summary>The version 1 manifest as <c>soci create</c> writes it, to the byte.</summary>
    public byte[] ToBytes() => OciJson.WriteManifest(new ImageManifest
    {
        MediaType = MediaTypes.OciManifest,
        Config = Descriptor.EmptyJson with { MediaType = SociNames.IndexV1 },
        Layers = [.. Ztocs.Select(ztoc => ztoc.ToDescriptor()), .. Prefetches.Select(prefetch => prefetch.ToDescriptor())],
        Subject = Subject is null ? null : new Descriptor { MediaType = Subject.MediaType, Digest = Subject.Digest, Size = Subject.Size },
        Annotations = BuildTool is null ? null : new Dictionary<string, string> { [SociNames.BuildToolAnnotation] = BuildTool },
    });

    /// <param name="type"><see cref="SociNames.IndexV1"/> or <see cref="SociNames.IndexV2"/>.</param>
    /// <param name="image">Whose index a version 1 must be.</param>
    /// <param name="refused">Gets the parts that cannot be used, and why; the others can.</param>
    /// <exception cref="InvalidDataException">It cannot be used at all.</exception>
    public static SociIndexManifest Parse(ImageManifest manifest, string type, Digest image, ICollection<string> refused)
    {
        if (manifest.Config.MediaType != type)
            throw new InvalidDataException($"configuration: media type \"{manifest.Config.MediaType}\" instead of \"{type}\"");
        if (type == SociNames.IndexV1 && (manifest.Subject is null || manifest.Subject.Digest != image))
            throw new InvalidDataException($"subject: it belongs to {manifest.Subject?.Digest.ToString() ?? "no image"}, not to {image}");
        if (manifest.Layers.Count > ArtifactLimits.PartsMax)
            throw new InvalidDataException($"layers: {manifest.Layers.Count}, more than {ArtifactLimits.PartsMax}");

        var ztocs = new List<SociZtoc>();
        var prefetches = new List<SociPrefetch>();
        for (var i = 0; i < manifest.Layers.Count; i++)
        {
            var descriptor = manifest.Layers[i];
            try
            {
                if (descriptor.MediaType == SociNames.PrefetchMediaType)
                    prefetches.Add(SociPrefetch.Parse(descriptor));
                else if (descriptor.MediaType == SociNames.ZtocMediaType)
                    ztocs.Add(SociZtoc.Parse(descriptor));
                else
                    throw new InvalidDataException(
                        $"media type \"{descriptor.MediaType}\" is neither that of a zTOC nor that of a prefetch list");
            }
            catch (InvalidDataException e)
            {
                refused.Add($"part {i} ({descriptor.Digest}): {e.Message}");
            }
        }

        return new SociIndexManifest
        {
            Subject = manifest.Subject,
            BuildTool = manifest.Annotations?.GetValueOrDefault(SociNames.BuildToolAnnotation),
            Ztocs = ztocs,
            Prefetches = prefetches,
        };
    }
}
