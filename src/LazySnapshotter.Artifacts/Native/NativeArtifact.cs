using System.Globalization;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Native;

// Our index artifact: a manifest whose subject is the image's, with one index file per layer (docs/FORMATS.md, "Index
// artifact"). Nothing in it depends on time or place: the same indexes of the same image are the same artifact.
internal sealed record NativeArtifact
{
    public const string ArtifactType = "application/vnd.lazysnapshotter.index.v1+json";

    public const string LayerDigestAnnotation = "io.lazysnapshotter.layer.digest";
    public const string LayerMediaTypeAnnotation = "io.lazysnapshotter.layer.media-type";
    public const string IdentityAnnotation = "io.lazysnapshotter.index.identity";
    public const string FrontLengthAnnotation = "io.lazysnapshotter.index.front-length";

    private const string IndexMediaTypePrefix = "application/vnd.lazysnapshotter.layer-index.v";
    private const int IdentityLength = 64;

    /// <summary>An index file of at most so many bytes lies in the manifest: those of small layers, for which a request (with a
    /// redirect two) would take longer than anything else about them.</summary>
    public const int ContentLengthMax = 4 << 10;

    /// <summary>The image's manifest.</summary>
    public required Descriptor Subject { get; init; }

    /// <summary>In the order of the image's layers; not every layer need have an index.</summary>
    public required IReadOnlyList<NativeArtifactLayer> Layers { get; init; }

    /// <summary>Of the index files this program knows. A later version can lie beside it in the same artifact.</summary>
    public static string IndexMediaType { get; } = IndexMediaTypePrefix + LayerIndex.FormatVersion.ToString(CultureInfo.InvariantCulture);

    public byte[] ToBytes() => OciJson.WriteManifest(new ImageManifest
    {
        MediaType = MediaTypes.OciManifest,
        ArtifactType = ArtifactType,
        Config = Descriptor.EmptyJson,
        Layers = [.. Layers.Select(layer => layer.ToDescriptor())],
        // Without what the image's index said about it: the platform is no part of its identity.
        Subject = new Descriptor { MediaType = Subject.MediaType, Digest = Subject.Digest, Size = Subject.Size },
    });

    /// <param name="image">Whose artifact it must be.</param>
    /// <param name="refused">Gets the parts that cannot be used, and why; the others can.</param>
    /// <exception cref="InvalidDataException">It cannot be used at all.</exception>
    public static NativeArtifact Parse(ImageManifest manifest, Digest image, ICollection<string> refused)
    {
        if (manifest.ArtifactType != ArtifactType)
            throw new InvalidDataException($"artifact type: \"{manifest.ArtifactType}\" instead of \"{ArtifactType}\"");
        if (manifest.Subject is null || manifest.Subject.Digest != image)
            throw new InvalidDataException($"subject: it belongs to {manifest.Subject?.Digest.ToString() ?? "no image"}, not to {image}");
        if (manifest.Layers.Count > ArtifactLimits.PartsMax)
            throw new InvalidDataException($"layers: {manifest.Layers.Count}, more than {ArtifactLimits.PartsMax}");

        var layers = new List<NativeArtifactLayer>();
        for (var i = 0; i < manifest.Layers.Count; i++)
        {
            try
            {
                layers.Add(ParseLayer(manifest.Layers[i]));
            }
            catch (InvalidDataException e)
            {
                refused.Add($"layer index {i} ({manifest.Layers[i].Digest}): {e.Message}");
            }
        }

        return new NativeArtifact { Subject = manifest.Subject, Layers = layers };
    }

    private static NativeArtifactLayer ParseLayer(Descriptor descriptor)
    {
        if (descriptor.MediaType != IndexMediaType)
        {
            throw new InvalidDataException(descriptor.MediaType.StartsWith(IndexMediaTypePrefix, StringComparison.Ordinal)
                ? $"version {descriptor.MediaType[IndexMediaTypePrefix.Length..]} of the index file is not known here, " +
                    $"only {LayerIndex.FormatVersion} is"
                : $"media type \"{descriptor.MediaType}\" is not that of an index file");
        }

        if (!Digest.TryParse(Annotation(descriptor, LayerDigestAnnotation), out var layer))
            throw new InvalidDataException($"annotation {LayerDigestAnnotation} is not a digest");
        var identity = Annotation(descriptor, IdentityAnnotation);
        if (identity.Length != IdentityLength || !identity.All(char.IsAsciiHexDigitLower))
            throw new InvalidDataException($"annotation {IdentityAnnotation} is not {IdentityLength} hexadecimal digits");
        var isNumber = long.TryParse(
            Annotation(descriptor, FrontLengthAnnotation), NumberStyles.None, CultureInfo.InvariantCulture, out var front);
        if (!isNumber || front < 1 || front > Math.Min(descriptor.Size, ArtifactLimits.FrontLengthMax))
            throw new InvalidDataException(
                $"annotation {FrontLengthAnnotation} is not a length within the index file of {descriptor.Size} bytes");

        return new NativeArtifactLayer
        {
            LayerDigest = layer,
            LayerMediaType = Annotation(descriptor, LayerMediaTypeAnnotation),
            Index = new Descriptor { MediaType = descriptor.MediaType, Digest = descriptor.Digest, Size = descriptor.Size },
            Identity = identity,
            FrontLength = front,
            Content = ParseContent(descriptor),
        };
    }

    // Wrong content is a part refused like any other: the same bytes were meant to come as a blob.
    private static byte[]? ParseContent(Descriptor descriptor)
    {
        if (descriptor.Data is not { } data || descriptor.Size > ContentLengthMax)
            return null;
        var content = new byte[descriptor.Size];
        if (!Convert.TryFromBase64String(data, content, out var length)
            || length != content.Length || !descriptor.Digest.IsDigestOf(content))
            throw new InvalidDataException($"data: not the {descriptor.Size} bytes with the digest {descriptor.Digest}");
        return content;
    }

    private static string Annotation(Descriptor descriptor, string name) =>
        descriptor.Annotations?.GetValueOrDefault(name) ?? throw new InvalidDataException($"annotation {name} is missing");
}
