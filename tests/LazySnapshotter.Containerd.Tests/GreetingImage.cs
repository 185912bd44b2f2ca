using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Containerd.Tests;

// A small image that really runs: this machine's dash and the libraries it needs, and a greeting, in three layers. What a
// test wants wrong it changes before it is added to a registry.
internal sealed class GreetingImage
{
    public List<(string MediaType, byte[] Blob, Digest DiffId)> Layers { get; } = [];

    public string ConfigMediaType { get; set; } = MediaTypes.OciConfig;

    public Platform Platform { get; set; } = Platform.Current;

    /// <summary>How many the configuration lists; all by default.</summary>
    public int DiffIdsInConfig { get; set; } = int.MaxValue;

    /// <summary>Applied to the manifest before it is pushed.</summary>
    public Action<JsonObject> ChangeManifest { get; set; } = _ => { };

    public Digest ManifestDigest { get; private set; }

    public static GreetingImage WithGreeting(string greeting)
    {
        var image = new GreetingImage();
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
        using var zstd = Process.Start(
            new ProcessStartInfo("zstd", ["-q", "-c"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
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

    /// <summary>Puts everything into the registry, as a single manifest or under an index with another platform.</summary>
    public ImageReference AddTo(TestRegistry registry, string repository, bool underIndex = false)
    {
        var content = registry.Content;
        var layers = Layers.Select(layer => content.AddBlob(repository, layer.Blob, layer.MediaType)).ToList();
        var config = content.AddBlob(repository, Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = Platform.Architecture,
            ["os"] = Platform.Os,
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/sh", "-c", "read line </etc/greeting; echo \"$line\"") },
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. Layers.Take(DiffIdsInConfig).Select(layer => (JsonNode)layer.DiffId.ToString())]),
            },
        }.ToJsonString()), ConfigMediaType);

        var document = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Json(config),
            ["layers"] = new JsonArray([.. layers.Select(Json)]),
        };
        ChangeManifest(document);
        var manifest = content.AddManifest(repository, "latest", MediaTypes.OciManifest, Encoding.UTF8.GetBytes(document.ToJsonString()));
        ManifestDigest = manifest.Digest;
        if (underIndex)
        {
            // The other platform's manifest need not be in the registry: nobody asks for it.
            var other = manifest
                with { Digest = Digest.OfSha256("other"u8), Platform = new Platform { Os = "linux", Architecture = "s390x" } };
            content.AddIndex(repository, "latest", [other, manifest with { Platform = Platform }]);
        }

        return registry.Reference(repository);
    }

    private static JsonNode Json(Descriptor descriptor) => new JsonObject
    {
        ["mediaType"] = descriptor.MediaType,
        ["digest"] = descriptor.Digest.ToString(),
        ["size"] = descriptor.Size,
    };

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
