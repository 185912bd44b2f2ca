using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Fuzz.Targets;

// Image archives from anywhere, read as those of docker save and as OCI layouts: the names and links of their entries, their
// documents, and where their layers lie.
internal sealed class ImageArchiveTarget : FuzzTarget
{
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(() => [Docker(), Layout()]);

    public override string Name => "image-archive";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override IReadOnlyList<string> Words { get; } =
        ["manifest.json", "index.json", "blobs/sha256/", "../", "\"Layers\":[", "\"Config\":", "ustar\0", "null"];

    public override int LengthMax => 16 * 1024;

    // What an archive is cut short of shows when a layer is read.
    public override bool IsRefusal(Exception exception) => exception is InvalidDataException or IOException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        using var file = new ScratchFile(".tar");
        File.WriteAllBytes(file.Path, input);
        Exception? refusal = null;
        var isTaken = false;
        Func<IImageSource>[] readings =
            [() => DockerArchiveSource.Open("a", file.Path, null), () => OciLayoutSource.OpenArchive("a", file.Path, null, null)];
        foreach (var open in readings)
        {
            try
            {
                Use(open());
                isTaken = true;
            }
            catch (Exception exception) when (IsRefusal(exception))
            {
                refusal = exception;
            }
        }

        if (!isTaken)
            throw refusal!;
    }

    // A tar's headers have checksums.
    public override void Repair(Span<byte> input) => new TarTarget().Repair(input);

    private static void Use(IImageSource source)
    {
        foreach (var image in source.FindImagesAsync(PlatformSelection.All, CancellationToken.None).GetAwaiter().GetResult())
        {
            foreach (var layer in image.Layers)
            {
                if (layer.Size < 0)
                    throw new InvalidOperationException($"a layer of {layer.Size} bytes");
                _ = source.OpenLayer(layer);
            }
        }
    }

    private static byte[] Docker()
    {
        var layer = "layer"u8.ToArray();
        var config = Encoding.UTF8.GetBytes(
            $$$"""{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["sha256:{{{Hex(layer)}}}"]}}""");
        var manifest = $$"""[{"Config":"{{Hex(config)}}.json","RepoTags":["a:b"],"Layers":["l/layer.tar"]}]""";
        return Tar(
            ("manifest.json", Encoding.UTF8.GetBytes(manifest)),
            ($"{Hex(config)}.json", config), ("m/layer.tar", layer), ("l/layer.tar", null));
    }

    private static byte[] Layout()
    {
        var layer = "layer"u8.ToArray();
        var config = "{\"os\":\"linux\",\"architecture\":\"amd64\"}"u8.ToArray();
        var manifest = Encoding.UTF8.GetBytes(
            $$"""{"config":{{Descriptor(MediaTypes.OciConfig, config)}},"layers":[{{Descriptor(MediaTypes.OciLayer, layer)}}]}""");
        return Tar(
            ("index.json", Encoding.UTF8.GetBytes($$"""{"manifests":[{{Descriptor(MediaTypes.OciManifest, manifest)}}]}""")),
            ($"blobs/sha256/{Hex(manifest)}", manifest), ($"blobs/sha256/{Hex(config)}", config), ($"blobs/sha256/{Hex(layer)}", layer));
    }

    private static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static string Descriptor(string mediaType, byte[] content) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"sha256:{{Hex(content)}}","size":{{content.Length}}}""";

    // An entry without content is a link to the one before it.
    private static byte[] Tar(params (string Name, byte[]? Content)[] entries)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                var entry = new UstarTarEntry(content is null ? TarEntryType.SymbolicLink : TarEntryType.RegularFile, name)
                {
                    ModificationTime = DateTimeOffset.UnixEpoch,
                };
                if (content is null)
                    entry.LinkName = "../m/layer.tar";
                else
                    entry.DataStream = new MemoryStream(content);
                writer.WriteEntry(entry);
            }
        }

        return tar.ToArray();
    }
}
