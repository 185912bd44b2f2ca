using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Tests.Sources;

// Archives of docker save, as several generations of tools write them, and archives nobody should have written.
public sealed class ArchiveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("archive-").FullName;

    private string File => Path.Combine(_folder, "image.tar");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Layers_are_described_as_what_they_are_wherever_links_lead()
    {
        var plain = Encoding.ASCII.GetBytes("a tar that is not looked at here");
        byte[] packed = [0x1F, 0x8B, 8, 0, 1, 2, 3];
        var named = $"blobs/sha256/{Hex(packed)}";
        Write(
            Image(["one/layer.tar", "two/layer.tar", named, "packed.tar"], [Hex(plain), Hex(plain), Hex([1]), Hex([2])]),
            ("one/layer.tar", plain), ("two/layer.tar", "../one/layer.tar"), (named, packed), ("packed.tar", packed));

        await using var source = DockerArchiveSource.Open("docker-archive:x", File, null);
        var image = Assert.Single(await source.FindImagesAsync(PlatformSelection.Machine, default));
        Assert.Null(image.Manifest);
        Assert.Equal([Hex(plain), Hex(plain), Hex(packed), Hex(packed)], image.Layers.Select(layer => layer.Digest.Hex));
        Assert.Equal([plain.Length, plain.Length, packed.Length, packed.Length], image.Layers.Select(layer => layer.Size));
        Assert.Equal([MediaTypes.DockerLayer, MediaTypes.DockerLayer, MediaTypes.DockerLayerGzip, MediaTypes.DockerLayerGzip],
            image.Layers.Select(layer => layer.MediaType));

        await using (var whole = await source.OpenLayer(image.Layers[1]).OpenAsync(ReadPriority.Demanded(), default))
            Assert.Equal(plain, await ReadAsync(whole));
        await using (var range = await source.OpenLayer(image.Layers[2]).OpenExactRangeAsync(2, 3, ReadPriority.Demanded(), default))
            Assert.Equal(packed[2..5], await ReadAsync(range));
        await Assert.ThrowsAsync<IOException>(
            () => source.OpenLayer(image.Layers[2]).OpenExactRangeAsync(5, 3, ReadPriority.Demanded(), default));
    }

    [Fact]
    public async Task One_of_several_images_has_to_be_named()
    {
        var config = Config([]);
        Write(
            [new { Config = "c.json", RepoTags = new[] { "busybox:1" }, Layers = Array.Empty<string>() },
                new { Config = "c.json", RepoTags = new[] { "busybox:2" }, Layers = Array.Empty<string>() }],
            ("c.json", config));

        Assert.Contains("busybox:1, busybox:2", await RefusalAsync(), StringComparison.Ordinal);
        Assert.Contains("only busybox:1", await RefusalAsync("busybox:3"), StringComparison.Ordinal);
        await using var source = DockerArchiveSource.Open("x", File, "docker.io/library/busybox:2");
        Assert.Single(await source.FindImagesAsync(PlatformSelection.Machine, default));
    }

    [Fact]
    public async Task Each_thing_that_is_wrong_is_told_with_file_and_entry()
    {
        Write(Image(["../../etc/shadow"], [Hex([])]));
        Assert.Contains("\"../../etc/shadow\" leads out of the archive", await RefusalAsync(), StringComparison.Ordinal);

        Write(Image(["layer"], [Hex([])]), ("layer", "../../../etc/shadow"));
        Assert.Contains("leads out of the archive", await RefusalAsync(), StringComparison.Ordinal);

        Write(Image(["layer"], [Hex([])]), ("layer", "/nowhere"));
        Assert.Contains("a link to \"nowhere\", which is not in the archive", await RefusalAsync(), StringComparison.Ordinal);

        Write(Image(["a"], [Hex([])]), ("a", "b"), ("b", "a"));
        Assert.Contains("links", await RefusalAsync(), StringComparison.Ordinal);

        Write(Image(["absent"], [Hex([])]));
        Assert.Contains("entry \"absent\", a layer, is not in the archive", await RefusalAsync(), StringComparison.Ordinal);

        Write(Image(["a", "b"], [Hex([])]));
        Assert.Contains("lists 2 layers, the configuration 1", await RefusalAsync(), StringComparison.Ordinal);

        var named = $"{Hex([1])}.json";
        Write([new { Config = named, RepoTags = (string[]?)null, Layers = Array.Empty<string>() }], (named, Config([])));
        Assert.Contains("have digest", await RefusalAsync(), StringComparison.Ordinal);

        Write([null!]);
        Assert.Contains("manifest.json", await RefusalAsync(), StringComparison.Ordinal);

        Write(Image([], []), ("../x", "y"u8.ToArray()));
        Assert.Contains("leads out of the archive", await RefusalAsync(), StringComparison.Ordinal);
        Assert.All(
            await Task.WhenAll(RefusalAsync(), RefusalAsync()), refusal => Assert.StartsWith(File, refusal, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_no_archive_is_told_as_such()
    {
        await System.IO.File.WriteAllBytesAsync(File, [0x1F, 0x8B, 8, 0, 0, 0]);
        Assert.Contains("compressed with gzip", await RefusalAsync(), StringComparison.Ordinal);
        await System.IO.File.WriteAllTextAsync(File, string.Concat(Enumerable.Repeat("This is a letter. ", 100)));
        Assert.Contains("no tar archive", await RefusalAsync(), StringComparison.Ordinal);
        await System.IO.File.WriteAllBytesAsync(File, []);
        Assert.Contains("without entries", await RefusalAsync(), StringComparison.Ordinal);

        Write(Image([], []));
        var whole = await System.IO.File.ReadAllBytesAsync(File);
        await System.IO.File.WriteAllBytesAsync(File, whole[..700]);
        Assert.StartsWith(File, await RefusalAsync(), StringComparison.Ordinal);
        await using var layout = OciLayoutSource.OpenDirectory("oci:x", _folder, null, null);
        Assert.Contains("no OCI image layout", (await Assert.ThrowsAsync<InvalidDataException>(
            () => layout.FindImagesAsync(PlatformSelection.Machine, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_number_that_is_larger_than_any_reader_takes_is_told_as_damage()
    {
        Write(Image([], []));
        var tar = await System.IO.File.ReadAllBytesAsync(File);
        byte[] owner = [0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]; // In base 256, as GNU tar writes large ones.
        owner.CopyTo(tar, 108);
        var checksum = tar.AsSpan(148, 8);
        checksum.Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(tar.Take(512).Sum(value => value), 8).PadLeft(6, '0') + "\0 ", checksum);
        await System.IO.File.WriteAllBytesAsync(File, tar);
        Assert.StartsWith($"{File}: no tar archive", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_platform_that_was_named_is_insisted_on()
    {
        Write(Image([], []));
        await using var source = DockerArchiveSource.Open("x", File, null);
        Assert.Single(await source.FindImagesAsync(PlatformSelection.All, default));
        var refusal = await Assert.ThrowsAsync<InvalidDataException>(
            () => source.FindImagesAsync(PlatformSelection.Parse(["linux/s390x"]), default));
        Assert.Contains("nothing for linux/s390x, only for", refusal.Message, StringComparison.Ordinal);
    }

    private async Task<string> RefusalAsync(string? reference = null) => (await Assert.ThrowsAsync<InvalidDataException>(async () =>
    {
        await using var source = DockerArchiveSource.Open("docker-archive:x", File, reference);
        await source.FindImagesAsync(PlatformSelection.Machine, default);
    })).Message;

    private static object[] Image(string[] layers, string[] diffIds)
    {
        var config = Config(diffIds);
        return [new { Config = $"{Hex(config)}.json", RepoTags = new[] { "busybox:latest" }, Layers = layers, Content = config }];
    }

    private static byte[] Config(string[] diffIds) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        architecture = Platform.Current.Architecture,
        os = "linux",
        rootfs = new { type = "layers", diff_ids = diffIds.Select(hex => "sha256:" + hex) },
    });

    private static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    // Entries are file contents, or the targets of symbolic links.
    private void Write(object[] images, params (string Name, object Content)[] entries)
    {
        using var writer = new TarWriter(System.IO.File.Create(File));
        Add(writer, "manifest.json", JsonSerializer.SerializeToUtf8Bytes(images));
        foreach (var image in images)
        {
            if (image?.GetType().GetProperty("Content")?.GetValue(image) is byte[] config)
                Add(writer, (string)image.GetType().GetProperty("Config")!.GetValue(image)!, config);
        }

        foreach (var (name, content) in entries)
            Add(writer, name, content);
    }

    private static void Add(TarWriter writer, string name, object content) => writer.WriteEntry(content is string target
        ? new UstarTarEntry(TarEntryType.SymbolicLink, name) { LinkName = target }
        : new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream((byte[])content) });

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
