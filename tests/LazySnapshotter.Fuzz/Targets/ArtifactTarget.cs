using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Fuzz.Targets;

// Artifacts that say where indexes lie: ours, and soci's of both versions. Anybody may have pushed them.
internal sealed class ArtifactTarget : FuzzTarget
{
    private static readonly Digest _image = Digest.Parse(SampleText.Digest);

    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "artifact";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override IReadOnlyList<string> Words { get; } =
    [
        NativeArtifact.ArtifactType, NativeArtifact.IdentityAnnotation, NativeArtifact.FrontLengthAnnotation,
        NativeArtifact.LayerDigestAnnotation,
        SociNames.IndexV1, SociNames.IndexV2, SociNames.PrefetchMediaType, SociNames.SpanSizeAnnotation, SociNames.LayerDigestAnnotation,
        SampleText.Digest,
        "\"data\":\"e30=\"", "\"annotations\":{", "\"layers\":[",
    ];

    public override int LengthMax => 8192;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var manifest = OciJson.ReadManifest(input, "artifact");
        var refused = new List<string>();
        if (manifest.ArtifactType == NativeArtifact.ArtifactType)
        {
            var artifact = NativeArtifact.Parse(manifest, _image, refused);
            CheckCount(manifest, artifact.Layers.Count + refused.Count);
            var again = NativeArtifact.Parse(OciJson.ReadManifest(artifact.ToBytes(), "written"), _image, refused = []);
            if (again.Layers.Count != artifact.Layers.Count)
                throw new InvalidOperationException("the artifact reads back differently");
        }
        else
        {
            var soci = SociIndexManifest.Parse(
                manifest, manifest.Config.MediaType == SociNames.IndexV2 ? SociNames.IndexV2 : SociNames.IndexV1, _image, refused);
            CheckCount(manifest, soci.Ztocs.Count + soci.Prefetches.Count + refused.Count);
        }
    }

    private static void CheckCount(ImageManifest manifest, int count)
    {
        if (count != manifest.Layers.Count)
            throw new InvalidOperationException($"of {manifest.Layers.Count} parts {count} were taken or refused");
    }

    private static byte[][] MakeSeeds()
    {
        var image = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = _image, Size = 7 };
        var blob = new Descriptor { MediaType = NativeArtifact.IndexMediaType, Digest = Digest.OfSha256("{}"u8), Size = 2 };
        var native = new NativeArtifact
        {
            Subject = image,
            Layers =
            [
                new NativeArtifactLayer
                {
                    LayerDigest = _image, LayerMediaType = MediaTypes.OciLayerGzip, Index = blob, Identity = _image.Hex, FrontLength = 1,
                    Content = "{}"u8.ToArray(),
                },
            ],
        };
        var soci = new SociIndexManifest
        {
            Subject = image,
            BuildTool = "tool",
            Ztocs =
            [
                new SociZtoc
                {
                    Blob = blob, LayerDigest = _image, LayerMediaType = MediaTypes.OciLayerGzip, SpanSize = 4096, DisableXattrs = true,
                },
            ],
            Prefetches = [new SociPrefetch { Blob = blob with { MediaType = SociNames.PrefetchMediaType }, LayerDigest = _image }],
        };
        return [native.ToBytes(), soci.ToBytes()];
    }
}
