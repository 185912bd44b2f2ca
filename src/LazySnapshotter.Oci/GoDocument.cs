using System.Text;

namespace LazySnapshotter.Oci;

// Manifests and indexes in the order of the fields of image-spec's Go structs (specs-go/v1), with what is empty left out
// where those structs leave it out.
internal static class GoDocument
{
    public static byte[] Of(ImageManifest manifest)
    {
        var json = new GoJson();
        json.BeginObject();
        Header(json, manifest.SchemaVersion, manifest.MediaType, manifest.ArtifactType);
        json.Name("config");
        Write(json, manifest.Config);
        WriteAll(json, "layers", manifest.Layers);
        Footer(json, manifest.Subject, manifest.Annotations);
        json.EndObject();
        return json.ToArray();
    }

    public static byte[] Of(ImageIndex index)
    {
        var json = new GoJson();
        json.BeginObject();
        Header(json, index.SchemaVersion, index.MediaType, index.ArtifactType);
        WriteAll(json, "manifests", index.Manifests);
        Footer(json, index.Subject, index.Annotations);
        json.EndObject();
        return json.ToArray();
    }

    public static byte[] Of(Descriptor descriptor)
    {
        var json = new GoJson();
        Write(json, descriptor);
        return json.ToArray();
    }

    private static void Header(GoJson json, int schemaVersion, string? mediaType, string? artifactType)
    {
        json.Name("schemaVersion");
        json.Number(schemaVersion);
        Optional(json, "mediaType", mediaType);
        Optional(json, "artifactType", artifactType);
    }

    private static void Footer(GoJson json, Descriptor? subject, IReadOnlyDictionary<string, string>? annotations)
    {
        if (subject is not null)
        {
            json.Name("subject");
            Write(json, subject);
        }

        Annotations(json, annotations);
    }

    private static void WriteAll(GoJson json, string name, IReadOnlyList<Descriptor> descriptors)
    {
        json.Name(name);
        json.BeginArray();
        foreach (var descriptor in descriptors)
            Write(json, descriptor);
        json.EndArray();
    }

    private static void Write(GoJson json, Descriptor descriptor)
    {
        json.BeginObject();
        json.Name("mediaType");
        json.Text(descriptor.MediaType);
        json.Name("digest");
        json.Text(descriptor.Digest.ToString());
        json.Name("size");
        json.Number(descriptor.Size);
        OptionalList(json, "urls", descriptor.Urls);
        Annotations(json, descriptor.Annotations);
        Optional(json, "data", descriptor.Data);
        if (descriptor.Platform is { } platform)
            Write(json, platform);
        Optional(json, "artifactType", descriptor.ArtifactType);
        json.EndObject();
    }

    private static void Write(GoJson json, Platform platform)
    {
        json.Name("platform");
        json.BeginObject();
        json.Name("architecture");
        json.Text(platform.Architecture);
        json.Name("os");
        json.Text(platform.Os);
        Optional(json, "os.version", platform.OsVersion);
        OptionalList(json, "os.features", platform.OsFeatures);
        Optional(json, "variant", platform.Variant);
        json.EndObject();
    }

    private static void Optional(GoJson json, string name, string? value)
    {
        if (string.IsNullOrEmpty(value))
            return;
        json.Name(name);
        json.Text(value);
    }

    private static void OptionalList(GoJson json, string name, IReadOnlyList<string>? values)
    {
        if (values is not { Count: > 0 })
            return;
        json.Name(name);
        json.BeginArray();
        foreach (var value in values)
            json.Text(value);
        json.EndArray();
    }

    private static void Annotations(GoJson json, IReadOnlyDictionary<string, string>? annotations)
    {
        if (annotations is not { Count: > 0 })
            return;
        json.Name("annotations");
        json.BeginObject();
        foreach (var (name, value) in annotations.OrderBy(a => a.Key, GoStringOrder))
        {
            json.Name(name);
            json.Text(value);
        }

        json.EndObject();
    }

    // Go sorts map keys by their UTF-8 bytes. Ordinal comparison of UTF-16 puts U+10000 before U+E000.
    private static Comparer<string> GoStringOrder { get; } =
        Comparer<string>.Create((left, right) => Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right)));
}
