using System.Globalization;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Soci;

// A zTOC as a part of soci's index: which layer it is for, and what its descriptor says beyond that.
internal sealed record SociZtoc
{
    public required Descriptor Blob { get; init; }

    public required Digest LayerDigest { get; init; }

    /// <summary>For people: what is read is the layer itself.</summary>
    public string LayerMediaType { get; init; } = "";

    /// <summary>Uncompressed bytes per span, as asked for when it was built; null where the index does not say.</summary>
    public long? SpanSize { get; init; }

    /// <summary>The layer has neither extended attributes nor opaque directories: none need be looked for.</summary>
    public bool DisableXattrs { get; init; }

    public Descriptor ToDescriptor()
    {
        var annotations = new Dictionary<string, string>
        {
            [SociNames.LayerMediaTypeAnnotation] = LayerMediaType,
            [SociNames.LayerDigestAnnotation] = LayerDigest.ToString(),
        };
        if (SpanSize is { } size)
            annotations[SociNames.SpanSizeAnnotation] = size.ToString(CultureInfo.InvariantCulture);
        if (DisableXattrs)
            annotations[SociNames.DisableXattrsAnnotation] = "true";
        return new Descriptor { MediaType = SociNames.ZtocMediaType, Digest = Blob.Digest, Size = Blob.Size, Annotations = annotations };
    }

    /// <exception cref="InvalidDataException">The descriptor cannot be used; the message says why.</exception>
    public static SociZtoc Parse(Descriptor descriptor)
    {
        if (descriptor.Size > ZtocLimits.LengthMax)
            throw new InvalidDataException($"a zTOC of {descriptor.Size} bytes, more than {ZtocLimits.LengthMax}");
        var annotations = descriptor.Annotations;
        return new SociZtoc
        {
            Blob = new Descriptor { MediaType = descriptor.MediaType, Digest = descriptor.Digest, Size = descriptor.Size },
            LayerDigest = LayerOf(descriptor),
            LayerMediaType = annotations?.GetValueOrDefault(SociNames.LayerMediaTypeAnnotation) ?? "",
            SpanSize = SpanSizeOf(annotations?.GetValueOrDefault(SociNames.SpanSizeAnnotation)),
            DisableXattrs = annotations?.GetValueOrDefault(SociNames.DisableXattrsAnnotation) == "true",
        };
    }

    public static Digest LayerOf(Descriptor descriptor) =>
        Digest.TryParse(descriptor.Annotations?.GetValueOrDefault(SociNames.LayerDigestAnnotation), out var layer)
            ? layer
            : throw new InvalidDataException($"annotation {SociNames.LayerDigestAnnotation} is missing or no digest");

    private static long? SpanSizeOf(string? text)
    {
        if (text is null)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? size
            : throw new InvalidDataException($"annotation {SociNames.SpanSizeAnnotation} is \"{text}\", not a number of bytes");
    }
}
