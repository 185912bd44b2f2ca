using System.Text.Json;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.OddImages.Manifests;

// Configuration, manifest and, at times, an index around layers. Mostly right; one oddity or two in a fifth of them.
internal sealed class OddDocuments(Dice dice, TestContent content, string repository, bool isDocker)
{
    private const string Tag = "latest";
    private const int Oddness = 30;

    // Of what is most likely refused; these are fewer chances than the entries of a tar.
    private readonly int _wrongness = Math.Max(8, dice.Wrongness / 4);

    // By layer: containerd fetches one that is there twice once, by either descriptor.
    private readonly Dictionary<Digest, long> _sizes = [];

    public void Add(IReadOnlyList<OddLayer> layers)
    {
        var config = content.AddBlob(repository, Configuration(layers, Platform()));
        var manifestType = isDocker ? MediaTypes.DockerManifest : MediaTypes.OciManifest;
        var body = JsonSerializer.SerializeToUtf8Bytes(Manifest(layers, config, manifestType));
        if (!dice.OneIn(3))
        {
            content.AddManifest(repository, Tag, manifestType, body);
            return;
        }

        var manifest = content.AddManifest(repository, tag: null, manifestType, body);
        var indexType = isDocker ? MediaTypes.DockerManifestList : MediaTypes.OciIndex;
        content.AddManifest(repository, Tag, indexType, JsonSerializer.SerializeToUtf8Bytes(Index(manifest, indexType)));
    }

    private byte[] Configuration(IReadOnlyList<OddLayer> layers, Dictionary<string, object?> platform)
    {
        var diffIds = layers.Select(layer => layer.DiffId.ToString()).ToList();
        if (diffIds.Count > 0 && dice.Odd(_wrongness, "a wrong diff ID"))
            diffIds[dice.Below(diffIds.Count)] = dice.PickNoted("diff ID", Digest.OfSha256(dice.Bytes(5)).ToString(), diffIds[0]);
        if (diffIds.Count > 0 && dice.Odd(_wrongness, "a diff ID too few"))
            diffIds.RemoveAt(dice.Below(diffIds.Count));
        if (dice.Odd(_wrongness, "a diff ID too many"))
            diffIds.Add(Digest.OfSha256(dice.Bytes(5)).ToString());
        if (diffIds.Count > 0 && dice.Odd(_wrongness, "a diff ID that is none"))
            diffIds[^1] = dice.PickNoted("diff ID", "", "sha256:", "sha512:" + new string('a', 128), "x");

        var document = new Dictionary<string, object?>(platform)
        {
            ["config"] = new { Cmd = new[] { "/f" } },
            ["rootfs"] = new { type = dice.Odd(_wrongness, "rootfs of another type") ? "other" : "layers", diff_ids = diffIds },
        };
        if (dice.Odd(Oddness, "history"))
            document["history"] = new object[] { new { created = "2020-01-01T00:00:00Z", empty_layer = true }, new { comment = "y" } };
        if (dice.Odd(Oddness, "a configuration with nulls"))
            (document["config"], document["history"], document["created"]) = (null, null, null);
        if (dice.Odd(_wrongness, "a configuration that is empty"))
            document.Clear();
        return JsonSerializer.SerializeToUtf8Bytes(document);
    }

    private Dictionary<string, object?> Manifest(IReadOnlyList<OddLayer> layers, Descriptor config, string manifestType)
    {
        var configType = isDocker ? MediaTypes.DockerConfig : MediaTypes.OciConfig;
        if (dice.Odd(_wrongness, "another configuration type"))
        {
            configType = dice.PickNoted(
                "type", "application/octet-stream", "application/vnd.example+json",
                MediaTypes.OciConfig, MediaTypes.DockerConfig, MediaTypes.OciEmpty);
        }

        var configSize = config.Size + (dice.Odd(_wrongness, "a wrong configuration size") ? dice.Pick(-1, 1) : 0);
        var document = new Dictionary<string, object?>
        {
            ["schemaVersion"] = dice.Odd(_wrongness, "another schema version") ? dice.Pick(0, 1, 3) : 2,
            ["mediaType"] = manifestType,
            ["config"] = Describe(configType, config.Digest, configSize),
            ["layers"] = layers.Select(Describe).ToList(),
        };
        if (dice.Odd(Oddness, "a manifest without its type"))
            document.Remove("mediaType");
        else if (dice.Odd(_wrongness, "a manifest that states another type"))
            document["mediaType"] = dice.Pick(MediaTypes.OciManifest, MediaTypes.DockerManifest, MediaTypes.OciIndex, "x");
        if (dice.Odd(Oddness, "annotations"))
            document["annotations"] = new Dictionary<string, string?> { ["a"] = "b", [""] = null, ["containerd.io/snapshot/x"] = "y" };
        if (dice.Odd(Oddness, "fields nobody knows"))
            document["unknown"] = new { manifests = new[] { 1 } };
        return document;
    }

    private Dictionary<string, object?> Describe(OddLayer layer)
    {
        var blob = content.AddBlob(repository, layer.Blob.Content);
        var size = blob.Size + (dice.Odd(_wrongness, "a wrong layer size") ? dice.Pick(-1, 1, 1000) : 0);
        if (!_sizes.TryAdd(blob.Digest, size))
            size = _sizes[blob.Digest];
        var type = layer.Blob.MediaType;
        if (dice.Odd(_wrongness, "a foreign layer"))
        {
            type = isDocker
                ? "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
                : "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
        }

        var document = Describe(type, blob.Digest, size);
        if (dice.Odd(Oddness, "a layer with annotations"))
            document["annotations"] = new Dictionary<string, string> { ["containerd.io/snapshot/remote/x"] = "x", ["a"] = "" };
        if (dice.Odd(_wrongness, "a layer without a digest"))
            document["digest"] = dice.PickNoted("digest", "", "sha256:abc", "x");
        return document;
    }

    private Dictionary<string, object?> Index(Descriptor manifest, string indexType)
    {
        var entry = Describe(manifest.MediaType, manifest.Digest, manifest.Size);
        if (!dice.Odd(6, "an index entry without platform"))
            entry["platform"] = Platform();
        var entries = new List<object> { entry };
        if (dice.Odd(4, "an attestation in the index"))
        {
            var attestation = Describe(manifest.MediaType, Digest.OfSha256(dice.Bytes(5)), 500);
            attestation["platform"] = new { architecture = "unknown", os = "unknown" };
            entries.Insert(dice.Below(2), attestation);
        }

        if (dice.Odd(8, "another platform that is not there"))
        {
            var other = Describe(manifest.MediaType, Digest.OfSha256(dice.Bytes(5)), 500);
            other["platform"] = new { architecture = "s390x", os = "linux" };
            entries.Insert(dice.Below(2), other);
        }

        return new Dictionary<string, object?>
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = indexType,
            ["manifests"] = dice.Odd(_wrongness, "an empty index") ? [] : entries,
        };
    }

    private Dictionary<string, object?> Platform()
    {
        var current = Oci.Platform.Current;
        if (!dice.OneIn(_wrongness))
            return new Dictionary<string, object?> { ["architecture"] = current.Architecture, ["os"] = current.Os };
        var platform = new Dictionary<string, object?>
        {
            ["architecture"] = dice.PickNoted(
                "architecture", current.Architecture, "x86_64", "AMD64", "x86-64", "aarch64", "arm64", "", "unknown"),
            ["os"] = dice.PickNoted("os", current.Os, "Linux", "LINUX", "", "windows"),
        };
        if (dice.OneIn(3))
            platform["variant"] = dice.PickNoted("variant", "", "v1", "v2", "v8");
        if (dice.OneIn(4))
            (platform["os.version"], platform["os.features"]) = ("10.0", new[] { "x" });
        return platform;
    }

    private static Dictionary<string, object?> Describe(string type, Digest digest, long size) =>
        new() { ["mediaType"] = type, ["digest"] = digest.ToString(), ["size"] = size };
}
