using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Gzip;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Index;

// The node's index files: complete or absent, and a damaged one is set aside for a person.
public sealed class LayerIndexStoreTests : IDisposable
{
    private static readonly byte[] Blob = TestGzip.Member(new TestTar().Add("file", data: "content").End());
    private static readonly Digest Layer = Digest.OfSha256(Blob);

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_index_is_built_once_and_found_again()
    {
        var store = new LayerIndexStore(_folder.Path);
        Assert.Null(store.TryOpen(Layer, out var damage));
        Assert.Null(damage);
        using (var built = await store.BuildAsync(Layer, new MemoryStream(Blob), new LayerIndexOptions(), CancellationToken.None))
            Assert.Equal(Layer, built.LayerDigest);

        Assert.Equal(_folder[$"indexes/sha256/{Layer.Hex}/{store.IdentitiesOf(Layer)[0]}.lsi"], store.FileOf(Layer));
        using var found = new LayerIndexStore(_folder.Path).TryOpen(Layer, out damage);
        Assert.Equal(2, found!.Toc.Count);
        Assert.Null(damage);
    }

    [Fact]
    public async Task A_damaged_index_is_set_aside_reported_and_built_anew()
    {
        var store = new LayerIndexStore(_folder.Path);
        (await store.BuildAsync(Layer, new MemoryStream(Blob), new LayerIndexOptions(), CancellationToken.None)).Dispose();
        var bytes = File.ReadAllBytes(store.FileOf(Layer));
        bytes[400]++;
        File.WriteAllBytes(store.FileOf(Layer), bytes);

        Assert.Null(store.TryOpen(Layer, out var damage));
        Assert.Contains("checksum", damage, StringComparison.Ordinal);
        Assert.Contains(".damaged", damage, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(Assert.Single(IndexFiles.Damaged(_folder.Path))));
        Assert.Null(store.TryOpen(Layer, out damage));
        Assert.Null(damage);
        (await store.BuildAsync(Layer, new MemoryStream(Blob), new LayerIndexOptions(), CancellationToken.None)).Dispose();
        using var anew = store.TryOpen(Layer, out damage);
        Assert.NotNull(anew);
    }

    [Fact]
    public async Task A_window_found_damaged_in_use_is_reported_once_and_works_again_when_the_index_is_back()
    {
        var tar = GzipProducerTests.RandomTar(seed: 7, length: 200_000);
        var blob = TestGzip.Frame(tar, TestGzip.Flushed(tar, 50_000));
        var layer = Digest.OfSha256(blob);
        var options = new LayerIndexOptions { Placement = CheckpointPlacement.Uniform(50_000) };
        var store = new LayerIndexStore(_folder.Path);
        (await store.BuildAsync(layer, new MemoryStream(blob), options, CancellationToken.None)).Dispose();
        using (var file = File.OpenWrite(store.FileOf(layer)))
        {
            file.Position = file.Length - LayerIndexFooter.Length - 10;
            file.Write([1, 2, 3]);
        }

        var reports = new List<string>();
        store.Damaged += (digest, _, damage) => reports.Add($"{digest}: {damage}");
        using var index = store.TryOpen(layer, out var damageAtOpen)!;
        Assert.Null(damageAtOpen);
        var last = new SpanId(index.Spans.Count - 1);
        Assert.NotEqual(0, index.LoadWindow(new SpanId(1)).Length);
        for (var i = 0; i < 2; i++)
            Assert.Contains($"window of span {last}: the checksum", Assert.Throws<InvalidDataException>(
                () => index.LoadWindow(last)).Message, StringComparison.Ordinal);
        Assert.Contains(".damaged", Assert.Single(reports), StringComparison.Ordinal);
        Assert.False(store.Contains(layer));
        Assert.NotEqual(0, index.LoadWindow(new SpanId(1)).Length);

        (await store.BuildAsync(layer, new MemoryStream(blob), options, CancellationToken.None)).Dispose();
        Assert.NotEqual(0, index.LoadWindow(last).Length);
        index.VerifyWindows();
        Assert.Single(reports);
    }

    [Fact]
    public async Task An_index_from_elsewhere_is_kept_only_if_it_is_whole_and_of_this_layer()
    {
        var store = new LayerIndexStore(_folder.Path);
        using var layer = BuiltLayer.Of(Blob);
        var bytes = File.ReadAllBytes(layer.Path);
        var other = Digest.OfSha256("another layer"u8);
        await Assert.ThrowsAsync<InvalidDataException>(
            () => store.AddAsync(other, new MemoryStream(bytes), "registry.example/image", expectedId: null, CancellationToken.None));
        await Assert.ThrowsAsync<InvalidDataException>(
            () => store.AddAsync(Layer, new MemoryStream(bytes[..^1]), "registry.example/image", expectedId: null, CancellationToken.None));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories));

        using (var added = await store.AddAsync(
            Layer, new MemoryStream(bytes), "registry.example/image", expectedId: null, CancellationToken.None))
            Assert.Equal(layer.Index.Id, added.Id);
        Assert.Equal(bytes, File.ReadAllBytes(store.FileOf(Layer)));
    }

    [Fact]
    public async Task A_sha512_layer_has_its_own_folder()
    {
        var layer = Digest.Parse("sha512:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(Blob)));
        var store = new LayerIndexStore(_folder.Path);
        using var built = await store.BuildAsync(layer, new MemoryStream(Blob), new LayerIndexOptions(), CancellationToken.None);
        Assert.Equal(layer, built.LayerDigest);
        Assert.True(File.Exists(_folder[$"indexes/sha512/{layer.Hex}/{built.Id}.lsi"]));
    }

    [Fact]
    public void Old_temporary_files_are_swept_up()
    {
        _ = new LayerIndexStore(_folder.Path);
        var old = _folder["indexes/sha256/old.tmp"];
        var young = _folder["indexes/sha256/young.tmp"];
        File.WriteAllText(old, "");
        File.WriteAllText(young, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-2));
        _ = new LayerIndexStore(_folder.Path);
        Assert.False(File.Exists(old));
        Assert.True(File.Exists(young));
    }
}
