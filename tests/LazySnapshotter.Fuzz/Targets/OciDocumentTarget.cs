using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Manifests;
using LazySnapshotter.Registry.Requests;

namespace LazySnapshotter.Fuzz.Targets;

// Manifests, indexes and configurations as a registry gives them out, read as each of the three. What is taken is written
// and read back; from an index a platform's image is chosen; as a list of referrers it is added to and taken from.
internal sealed class OciDocumentTarget : FuzzTarget
{
    private const string Arm64 = ""","platform":{"architecture":"arm64","os":"linux","variant":"v8","os.features":["x"]}""";

    private static readonly Descriptor _entry = new() { MediaType = MediaTypes.OciManifest, Digest = Digest.OfSha256("x"u8), Size = 1 };
    private static readonly HopRequest _hop = new(new Uri("https://registry.example/v2/x/manifests/y"), RequestSubject.Manifest("x", "y"));
    private static readonly Platform _platform = Platform.Parse("linux/arm/v7");

    public override string Name => "oci-document";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{SampleText.Descriptor("c")}},
        "layers":[{{SampleText.Descriptor("l", ""","urls":["http://a"],"data":"e30=" """)}}],
        "annotations":{"a":"b"},"subject":{{SampleText.Descriptor("s")}}}
        """,
        $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","artifactType":"t","manifests":[
        {{SampleText.Descriptor(MediaTypes.OciManifest, Arm64)}},{{SampleText.Descriptor(MediaTypes.OciManifest)}}]}
        """,
        $$$"""
        {"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{SampleText.Digest}}}"]},
        "config":{"Entrypoint":["/bin/sh"],"Cmd":null,"Env":["A=b"],"WorkingDir":"/w"}}
        """);

    public override IReadOnlyList<string> Words { get; } =
    [
        "\"manifests\":[", "\"Manifests\":", "\"layers\":", "\"config\":", "\"subject\":", "\"annotations\":", "\"platform\":",
        "\"digest\":", "\"size\":", "\"mediaType\":",
        "\"rootfs\":", "\"diff_ids\":", "\"urls\":", "\"data\":", "\"os\":", "\"variant\":", "null", "\\ud800", "\\u0000", "1e5", "-1",
        SampleText.Digest,
        MediaTypes.OciManifest, MediaTypes.OciIndex,
    ];

    public override int LengthMax => 8192;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var bytes = input.ToArray();
        var taken = 0;
        taken += Try(() => UseManifest(OciJson.ReadManifest(bytes, "manifest")));
        taken += Try(() => UseIndex(OciJson.ReadUsableIndex(bytes, "index")));
        taken += Try(() => OciJson.ReadIndex(bytes, "index"));
        taken += Try(() => OciJson.ReadConfig(bytes, "configuration"));
        taken += Try(() => UseReferrers(bytes));
        CheckKind(bytes);
        Try(() => ReferrersIndex.EntryOf(MediaTypes.OciManifest, bytes, "manifest"));
        Try(() => ReferrersIndex.EntryOf(MediaTypes.OciIndex, bytes, "index"));
        if (taken == 0)
            throw new InvalidDataException("none of the three");
    }

    private static int Try(Action read)
    {
        try
        {
            read();
            return 1;
        }
        catch (InvalidDataException)
        {
            return 0;
        }
    }

    // CVE-2021-41190: a document that is taken as a manifest must not be an index to who reads it as one, nor the other way round.
    private static void CheckKind(byte[] bytes)
    {
        Try(() => OciDocumentKind.IsIndex(bytes, "document"));
        foreach (var header in (ReadOnlySpan<string?>)[null, MediaTypes.OciManifest, MediaTypes.OciIndex])
        {
            using var response = new HttpResponseMessage();
            string mediaType;
            try
            {
                mediaType = ManifestMediaType.Of(new RegistryDocument(bytes, header, null, _hop, response.Headers), _hop.Subject);
            }
            catch (RegistryException)
            {
                continue;
            }

            if (!MediaTypes.IsManifest(mediaType) && !MediaTypes.IsIndex(mediaType))
                throw new InvalidOperationException($"neither a manifest nor an index, but {mediaType}");
            var (layers, manifests) = (0, 0);
            Try(() => layers = OciJson.ReadManifest(bytes, "manifest").Layers.Count);
            Try(() => manifests = OciJson.ReadUsableIndex(bytes, "index").Manifests.Count);
            if (layers > 0 && manifests > 0)
                throw new InvalidOperationException($"{layers} layers, {manifests} manifests, and taken for {mediaType}");
        }
    }

    private static void UseManifest(ImageManifest manifest)
    {
        var written = OciJson.WriteManifest(manifest);
        if (!written.AsSpan().SequenceEqual(OciJson.WriteManifest(OciJson.ReadManifest(written, "written"))))
            throw new InvalidOperationException("the manifest reads back differently");
    }

    private static void UseIndex(ImageIndex index)
    {
        var written = OciJson.WriteIndex(index);
        if (!written.AsSpan().SequenceEqual(OciJson.WriteIndex(OciJson.ReadIndex(written, "written"))))
            throw new InvalidOperationException("the index reads back differently");
        Try(() => PlatformChoice.Of(index, _platform, "index"));
    }

    private static void UseReferrers(byte[] index)
    {
        // What is added can be taken away again, and leaves what was there.
        var longer = ReferrersIndex.Add(index, _entry, "referrers");
        if (longer is null)
            return;
        var shorter = ReferrersIndex.Remove(longer, _entry.Digest, "referrers", out _)
            ?? throw new InvalidOperationException("what was added is not there");
        if (ReferrersIndex.Remove(shorter, _entry.Digest, "referrers", out _) is not null)
            throw new InvalidOperationException("what was removed is still there");
    }
}
