using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Soci;

// A prefetch list as a part of soci's index: where it lies, and for which layer it is.
internal sealed record SociPrefetch
{
    public required Descriptor Blob { get; init; }

    public required Digest LayerDigest { get; init; }

    public Descriptor ToDescriptor() => Blob with
    {
        Annotations = new Dictionary<string, string> { [SociNames.LayerDigestAnnotation] = LayerDigest.ToString() },
    };

    /// <exception cref="InvalidDataException">The descriptor cannot be used; the message says why.</exception>
    public static SociPrefetch Parse(Descriptor descriptor)
    {
        if (descriptor.Size > ArtifactLimits.PrefetchLengthMax)
            throw new InvalidDataException($"a prefetch list of {descriptor.Size} bytes, more than {ArtifactLimits.PrefetchLengthMax}");
        return new SociPrefetch
        {
            Blob = new Descriptor { MediaType = descriptor.MediaType, Digest = descriptor.Digest, Size = descriptor.Size },
            LayerDigest = SociZtoc.LayerOf(descriptor),
        };
    }
}
