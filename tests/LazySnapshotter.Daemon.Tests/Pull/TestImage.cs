using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Tests.Pull;

// A small image that really runs: this machine's dash and the libraries it needs, and a greeting, in three layers. What a
// test wants wrong it changes before it is pushed.
internal sealed class TestImage
{
    public List<(string MediaType, byte[] Blob, Digest DiffId)> Layers { get; } = [];

    public string ConfigMediaType { get; set; } = MediaTypes.OciConfig;

    public Platform Platform { get; set; } = Platform.Current;

    /// <summary>How many the configuration lists; all by default.</summary>
    public int DiffIdsInConfig { get; set; } = int.MaxValue;

    public Digest ManifestDigest { get; private set; }

    public static TestImage WithGreeting(string greeting)
    {
        var image = new TestImage();
        image.AddLayer([.. LibrariesOf("/bin/dash").Select(path => (path, File.ReadAllBytes(path)))]);
        image.AddLayer([("/bin/sh", File.ReadAllBytes("/bin/dash")), ("/etc/greeting", "replaced by the next layer\n"u8.ToArray())]);
        image.AddLayer([("/etc/greeting", Encoding.UTF8.GetBytes(greeting + "\n")), ("/usr/share/data", Noise(3_500_000))]);
        return image;
    }

    // containerd shares content between namespaces: a file of its own makes every image's layers its own.
    public void AddLayer((string Path, byte[] Content)[] files)
    {
        var tar = Tar([.. files, ("/usr/share/only-here", Guid.NewGuid().ToByteArray())]);
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(tar);
        Layers.Add((MediaTypes.OciLayerGzip, blob.ToArray(), Digest.OfSha256(tar)));
    }

    public void AddZstdLayer((string Path, byte[] Content)[] files)
    {
        var tar = Tar(files);
        using var zstd = Process.Start(new ProcessStartInfo("zstd", ["-q", "-c"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        zstd.StandardInput.BaseStream.Write(tar);
        zstd.StandardInput.Close();
        using var blob = new MemoryStream();
        zstd.StandardOutput.BaseStream.CopyTo(blob);
        zstd.WaitForExit();
        Layers.Add((MediaTypes.OciLayerZstd, blob.ToArray(), Digest.OfSha256(tar)));
    }

    private static byte[] Tar((string Path, byte[] Content)[] files)
    {
        using var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (path, content) in files)
            {
                var entry = new PaxTarEntry(TarEntryType.RegularFile, path.TrimStart('/'))
                {
                    DataStream = new MemoryStream(content),
                    Mode = (UnixFileMode)0b111_101_101,
                    ModificationTime = DateTimeOffset.UnixEpoch,
                };
                writer.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>Pushes everything, as a single manifest or under an index that also lists a platform nobody has.</summary>
    public async Task<ImageReference> PushAsync(TestRegistryServer registry, string repository, string tag, bool underIndex = false)
    {
        var config = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = Platform.Architecture,
            ["os"] = Platform.Os,
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/sh", "-c", "read line </etc/greeting; echo \"$line\"") },
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. Layers.Take(DiffIdsInConfig).Select(layer => (JsonNode)layer.DiffId.ToString())]),
            },
        }.ToJsonString());
        await registry.PushBlobAsync(repository, config);
        foreach (var layer in Layers)
            await registry.PushBlobAsync(repository, layer.Blob);

        var manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = DescriptorOf(ConfigMediaType, config),
            ["layers"] = new JsonArray([.. Layers.Select(layer => (JsonNode)DescriptorOf(layer.MediaType, layer.Blob))]),
        }.ToJsonString());
        ManifestDigest = Digest.OfSha256(manifest);
        await registry.PushManifestAsync(repository, underIndex ? ManifestDigest.ToString() : tag, MediaTypes.OciManifest, manifest);
        if (underIndex)
            await PushIndexAsync(registry, repository, tag, manifest);
        return ImageReference.Parse($"{registry.Host}/{repository}:{tag}");
    }

    private async Task PushIndexAsync(TestRegistryServer registry, string repository, string tag, byte[] manifest)
    {
        // docker-registry wants every manifest of an index to be there; another platform's may be any.
        var other = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(manifest) + "\n");
        await registry.PushManifestAsync(repository, Digest.OfSha256(other).ToString(), MediaTypes.OciManifest, other);
        var index = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray(
                DescriptorOf(MediaTypes.OciManifest, other, new Platform { Os = "linux", Architecture = "s390x" }),
                DescriptorOf(MediaTypes.OciManifest, manifest, Platform)),
        }.ToJsonString());
        await registry.PushManifestAsync(repository, tag, MediaTypes.OciIndex, index);
    }

    private static JsonObject DescriptorOf(string mediaType, byte[] content, Platform? platform = null)
    {
        var descriptor = new JsonObject
        {
            ["mediaType"] = mediaType,
            ["digest"] = Digest.OfSha256(content).ToString(),
            ["size"] = content.Length,
        };
        if (platform is not null)
            descriptor["platform"] = new JsonObject { ["os"] = platform.Os, ["architecture"] = platform.Architecture };
        return descriptor;
    }

    // ldd's lines: "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)" and "\t/lib64/ld-linux-x86-64.so.2 (0x...)".
    private static string[] LibrariesOf(string program)
    {
        using var ldd = Process.Start(new ProcessStartInfo("ldd", [program]) { RedirectStandardOutput = true })!;
        var output = ldd.StandardOutput.ReadToEnd();
        ldd.WaitForExit();
        return [.. output.Split('\n').SelectMany(line => line.Split(' ', '\t').Where(word => word.StartsWith('/')).Take(1))];
    }

    // Does not compress, so that the layer is longer than one message to containerd.
    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(2).NextBytes(bytes);
        return bytes;
    }
}
