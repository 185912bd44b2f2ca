using System.Text.Json;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.IntegrationTests;

// `lazysnap index build`, `show` and `verify`, run as a user runs them, on a real image in every place it may lie.
public sealed class IndexCommandTests : IAsyncLifetime
{
    private readonly TestDirectory _directory = TestDirectory.Create();
    private TestImage _image = null!;

    private string Root => _directory.Combine("root");

    private string Layout => _image.Location;

    public async Task InitializeAsync() => _image = await TestImages.Quirks;

    public Task DisposeAsync() => _directory.DisposeAsync().AsTask();

    [Fact]
    public async Task A_layer_has_the_same_index_from_a_layout_an_archive_a_registry_and_containerd()
    {
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("quirks", _image.LayoutPath);
        await using var containerd = await ContainerdProcess.StartAsync();
        var reference = registry.Reference("quirks").ToString();
        await containerd.PullAsync(reference, "overlayfs");
        var archive = _directory.Combine("layout.tar");
        (await ProcessRunner.RunAsync("tar", ["-cf", archive, "-C", _image.LayoutPath, "."])).Checked();

        var indexes = await BuildAsync("layout", Layout);
        Assert.Equal(_image.Layers.Select(layer => layer.Digest.Hex).Order(StringComparer.Ordinal), indexes.Keys);
        Assert.Equal(indexes, await BuildAsync("archive", $"oci-archive:{archive}:{TestImage.Tag}"));
        Assert.Equal(indexes, await BuildAsync("registry", reference));
        Assert.Equal(indexes, await BuildAsync(
            "containerd", $"containerd:{reference}", "--address", containerd.Address, "--namespace", containerd.Namespace));

        var absent = await LazysnapProcess.RunAsync(
            "index", "build", "--root", Root, "containerd:no.such/image:1", "--address", containerd.Address);
        Assert.Equal(1, absent.ExitCode);
        Assert.Contains("has no such image", absent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_docker_archive_is_indexed_as_the_plain_tars_it_has()
    {
        // (Not the quirks: Go's gzip reader, and so skopeo, refuses NULs behind a member.)
        var image = await TestImages.Python;
        var archive = _directory.Combine("docker.tar");
        (await ProcessRunner.RunAsync("skopeo", ["copy", "--quiet", image.Location, $"docker-archive:{archive}:example.org/python:1"]))
            .Checked();
        var source = $"docker-archive:{archive}:example.org/python:1";
        var layers = await ResultsAsync("index", "build", "--json", "--root", Root, source);

        Assert.Equal(image.Layers.Count, layers.Count);
        Assert.All(layers, layer => Assert.Equal(layer.GetProperty("layer").GetString(), layer.GetProperty("diffId").GetString()));
        foreach (var layer in layers)
            (await LazysnapProcess.RunAsync("index", "verify", "--root", Root, layer.GetProperty("layer").GetString()!, "--blob", source))
                .Checked();
    }

    [Fact]
    public async Task Layers_are_indexed_once_and_never_again()
    {
        var first = await ResultsAsync("index", "build", "--json", "--root", Root, Layout, Layout);
        Assert.Equal(_image.Layers.Count, first.Count);
        Assert.All(first, layer => Assert.Equal("built", layer.GetProperty("state").GetString()));

        var second = await ResultsAsync("index", "build", "--json", "--root", Root, Layout);
        Assert.Equal(_image.Layers.Count, second.Count);
        Assert.All(second, layer => Assert.Equal("present", layer.GetProperty("state").GetString()));

        var damaged = second[0].GetProperty("path").GetString()!;
        Flip(damaged, new FileInfo(damaged).Length - 10);
        Assert.Single(await ResultsAsync("index", "build", "--json", "--root", Root, Layout), layer =>
            layer.GetProperty("state").GetString() == "built");
    }

    [Fact]
    public async Task Platforms_are_chosen_by_name_or_all_taken_and_share_their_layers()
    {
        await using var registry = await TestRegistry.StartAsync();
        var content = registry.Content;
        content.AddLayout("quirks", _image.LayoutPath);
        Platform arm = new() { Os = "linux", Architecture = "arm64", Variant = "v8" };
        Platform power = new() { Os = "linux", Architecture = "ppc64le" };
        content.AddIndex("quirks", "multi",
        [
            content.AddImage("quirks", "arm", [_image.Layers[0], _image.Layers[1]], platform: arm),
            content.AddImage("quirks", "power", [_image.Layers[0], _image.Layers[2]], platform: power),
        ]);
        var reference = registry.Reference("quirks", "multi").ToString();

        var one = await ResultsAsync("index", "build", "--json", "-o", _directory.Combine("one"), "--platform", "linux/aarch64", reference);
        Assert.Equal(Digests(0, 1), one.Select(Layer).Order(StringComparer.Ordinal));

        registry.ClearLog();
        var all = await ResultsAsync("index", "build", "--json", "-o", _directory.Combine("all"), "--all-platforms", reference);
        Assert.Equal(Digests(0, 1, 2), all.Select(Layer).Order(StringComparer.Ordinal));
        Assert.Equal(2, all.Single(layer => Layer(layer) == _image.Layers[0].Digest.ToString()).GetProperty("images").GetArrayLength());
        Assert.True(registry.BytesSent < _image.Layers.Take(3).Sum(layer => layer.Size) + 100_000, "the shared layer was fetched twice");

        var absent = await LazysnapProcess.RunAsync(
            "index", "build", "-o", _directory.Combine("none"), "--platform", "linux/s390x", reference);
        Assert.Equal(1, absent.ExitCode);
        Assert.Contains("nothing for linux/s390x, only for linux/arm64/v8, linux/ppc64le", absent.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await LazysnapProcess.RunAsync("index", "build", "--platform", "no-such", reference)).ExitCode);
    }

    [Fact]
    public async Task A_layer_comes_through_a_pipe_and_nothing_but_results_goes_to_standard_output()
    {
        var (blob, index) = (BlobOf(_image.Layers[0]), _directory.Combine("piped.lsi"));
        var piped = (await ProcessRunner.RunAsync(
            "sh", ["-c", $"cat {blob} | {LazysnapProcess.ProgramPath} index build --blob - -o {index}"])).Checked();
        Assert.Single(piped.Output.Trim().Split('\n'));
        Assert.StartsWith(_image.Layers[0].Digest.ToString(), piped.Output, StringComparison.Ordinal);
        Assert.Contains("standard input: read", piped.Error, StringComparison.Ordinal);
        (await ProcessRunner.RunAsync("sh", ["-c", $"cat {blob} | {LazysnapProcess.ProgramPath} index verify {index} --blob -"])).Checked();
    }

    [Fact]
    public async Task Show_tells_of_a_file_of_a_digest_and_of_an_image_with_its_entrypoint()
    {
        var built = await ResultsAsync("index", "build", "--json", "--root", Root, Layout);
        var path = built[0].GetProperty("path").GetString()!;
        var text = (await LazysnapProcess.RunAsync("index", "show", path)).Checked().Output;
        Assert.Contains(Layer(built[0]), text, StringComparison.Ordinal);
        Assert.Contains("first 4 KiB", text, StringComparison.Ordinal);

        var facts = Assert.Single(await ResultsAsync("index", "show", "--json", "--root", Root, Layer(built[0])));
        Assert.Equal(new FileInfo(path).Length, facts.GetProperty("indexLength").GetInt64());
        Assert.Equal(
            facts.GetProperty("indexLength").GetInt64(), facts.GetProperty("parts").EnumerateObject().Sum(part => part.Value.GetInt64()));
        Assert.Equal(
            built[0].GetProperty("entries").GetInt32(), facts.GetProperty("entries").EnumerateObject().Sum(type => type.Value.GetInt32()));
        var (first, whole) = (facts.GetProperty("firstRead"), facts.GetProperty("wholeRead"));
        Assert.InRange(first.GetProperty("mean").GetInt64(), 1, whole.GetProperty("mean").GetInt64());
        Assert.InRange(first.GetProperty("median").GetInt64(), 1, first.GetProperty("p99").GetInt64());

        var image = Assert.Single(await ResultsAsync("index", "show", "--json", "--root", Root, Layout));
        var entrypoint = image.GetProperty("entrypoint");
        var files = entrypoint.GetProperty("files").EnumerateArray().ToList();
        Assert.True(files.Count >= 2, image.ToString());
        Assert.Contains(files, file => file.GetProperty("path").GetString()!.Contains("ld-linux", StringComparison.Ordinal));
        Assert.InRange(entrypoint.GetProperty("firstReadLength").GetInt64(), 1, entrypoint.GetProperty("wholeReadLength").GetInt64());

        var unindexed = await LazysnapProcess.RunAsync("index", "show", "--root", _directory.Combine("empty"), Layout);
        Assert.Equal(1, unindexed.ExitCode);
        Assert.Contains("index build", unindexed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_proves_every_layer_and_names_what_is_wrong()
    {
        var built = await ResultsAsync("index", "build", "--json", "--root", Root, Layout);
        foreach (var layer in built)
        {
            var result = Assert.Single(await ResultsAsync("index", "verify", "--json", "--root", Root, Layer(layer), "--blob", Layout));
            Assert.True(result.GetProperty("isSound").GetBoolean(), result.ToString());
        }

        // The index of another layer, on its own right as it is.
        var (one, other) = (
            built[0].GetProperty("path").GetString()!, _image.Layers.First(layer => layer.Digest.ToString() != Layer(built[0])));
        var foreign = await LazysnapProcess.RunAsync("index", "verify", one, "--blob", BlobOf(other));
        Assert.Equal(1, foreign.ExitCode);
        Assert.Contains("its digest is " + other.Digest, foreign.Output, StringComparison.Ordinal);

        var damaged = _directory.Combine("damaged.lsi");
        File.Copy(one, damaged);
        Flip(damaged, 400);
        var refused = await LazysnapProcess.RunAsync("index", "verify", damaged, "--blob", Layout);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(damaged, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Soci_indexes_are_an_oci_layout_whose_ztocs_verify()
    {
        var directory = _directory.Combine("soci");
        string[] build = ["index", "build", "--json", "--format", "soci", "--build-tool", "AWS SOCI CLI v0.1", "--min-layer-size", "0",
            "--span-size", "1MiB", "-o", directory, Layout];
        var result = await LazysnapProcess.RunAsync(build);
        var layers = Parse(result.Output);
        Assert.Equal(_image.Layers.Count, layers.Count);

        // What soci cannot describe fails alone; everything else is there.
        var made = layers.Where(layer => layer.GetProperty("state").GetString() == "built").ToList();
        Assert.NotEmpty(made);
        Assert.Equal(made.Count == layers.Count ? 0 : 1, result.ExitCode);
        var proved = 0;
        foreach (var layer in made)
        {
            var blob = Path.Combine(_image.LayoutPath, "blobs", "sha256", Digest.Parse(Layer(layer)).Hex);
            var ztoc = layer.GetProperty("path").GetString()!;
            var verified = await LazysnapProcess.RunAsync("index", "verify", ztoc, "--blob", blob);
            if (verified.ExitCode != 0)
            {
                // soci describes these as something they are not; taking that over would give wrong bytes.
                Assert.Contains("a sparse file", verified.Error, StringComparison.Ordinal);
                continue;
            }

            proved++;
            Assert.Contains(
                "AWS SOCI CLI v0.1", (await LazysnapProcess.RunAsync("index", "show", ztoc)).Checked().Output, StringComparison.Ordinal);
        }

        Assert.InRange(proved, 4, made.Count);
        var index = OciJson.ReadIndex(await File.ReadAllBytesAsync(Path.Combine(directory, "index.json")), directory);
        var listed = Assert.Single(index.Manifests);
        var manifest = OciJson.ReadManifest(
            await File.ReadAllBytesAsync(Path.Combine(directory, "blobs", "sha256", listed.Digest.Hex)), directory);
        Assert.Equal("application/vnd.amazon.soci.index.v1+json", manifest.Config.MediaType);
        Assert.Equal(made.Select(Layer).Order(StringComparer.Ordinal), manifest.Layers.Select(
            ztoc => ztoc.Annotations!["com.amazon.soci.image-layer-digest"]).Order(StringComparer.Ordinal));

        var small = Parse(
            (await LazysnapProcess.RunAsync([.. build.Select(argument => argument == "0" ? "1GiB" : argument)])).Checked().Output);
        Assert.All(small, layer => Assert.Equal("skipped", layer.GetProperty("state").GetString()));
    }

    private async Task<SortedDictionary<string, Digest>> BuildAsync(string name, params string[] arguments)
    {
        var root = _directory.Combine(name);
        (await LazysnapProcess.RunAsync(["index", "build", "--root", root, .. arguments])).Checked();
        var indexes = new SortedDictionary<string, Digest>(StringComparer.Ordinal);
        foreach (var file in IndexFiles.All(root))
            indexes.Add(Path.GetFileName(Path.GetDirectoryName(file)!), Digest.OfSha256(await File.ReadAllBytesAsync(file)));
        return indexes;
    }

    private static async Task<List<JsonElement>> ResultsAsync(params string[] arguments) =>
        Parse((await LazysnapProcess.RunAsync(arguments)).Checked().Output);

    private static List<JsonElement> Parse(string lines) =>
        [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private static string Layer(JsonElement result) => result.GetProperty("layer").GetString()!;

    private IEnumerable<string> Digests(params int[] layers) =>
        layers.Select(layer => _image.Layers[layer].Digest.ToString()).Order(StringComparer.Ordinal);

    private string BlobOf(Descriptor layer) => Path.Combine(_image.LayoutPath, "blobs", "sha256", layer.Digest.Hex);

    private static void Flip(string path, long offset)
    {
        using var file = File.Open(path, FileMode.Open);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 0x55));
    }
}
