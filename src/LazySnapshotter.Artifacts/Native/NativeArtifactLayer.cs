using System.Globalization;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Native;

// One layer's index in an artifact. Identity and length of the front part are annotations, so that a reader can check
// what it got without the rest of the file, and knows what a mount costs.
internal sealed record NativeArtifactLayer
{
    public required Digest LayerDigest { get; init; }

    public required string LayerMediaType { get; init; }

    /// <summary>The index file as a blob; its media type names the file's version.</summary>
    public required Descriptor Index { get; init; }

    /// <summary>The index's identity (docs/FORMATS.md): what the file's front part proves to be.</summary>
    public required string Identity { get; init; }

    /// <summary>Bytes from the beginning of the file that a mount needs.</summary>
    public required long FrontLength { get; init; }

    /// <summary>The index file itself, where it is in the manifest; checked against its descriptor.</summary>
    public byte[]? Content { get; init; }

    public Descriptor ToDescriptor() => Index with
    {
        Data = Content is null ? null : Convert.ToBase64String(Content),
        Annotations = new Dictionary<string, string>
        {
            [NativeArtifact.LayerDigestAnnotation] = LayerDigest.ToString(),
            [NativeArtifact.LayerMediaTypeAnnotation] = LayerMediaType,
            [NativeArtifact.IdentityAnnotation] = Identity,
            [NativeArtifact.FrontLengthAnnotation] = FrontLength.ToString(CultureInfo.InvariantCulture),
        },
    };
}
