using System.Text;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Linux;
using LazySnapshotter.Node.Tests;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using LazySnapshotter.TestSupport.Indexes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Mounts.Tests;

// Whose word counts for what: what one image's repository says of a layer is not shown to another image before the layer's
// whole blob has confirmed it.
public sealed class IndexTrustTests : IAsyncLifetime
{
    private static readonly byte[] Genuine = TestLayers.Blob(("bin/", null), ("bin/su", "GENUINE"));
    private static readonly byte[] Evil = TestLayers.Blob(("bin/", null), ("bin/su", "EVIL!!!"));
    private static readonly LayerClaim True = TestClaims.Of(Genuine);
    private static readonly LayerClaim False = True with { Layer = TestClaims.Of(Evil).Layer };

    private TestNode _node = null!;
    private MetadataDatabase _database = null!;
    private StreamedIndexSource _build = null!;

    public async Task InitializeAsync()
    {
        _node = await TestNode.StartAsync();
        _database = MetadataDatabase.Open(Path.Combine(_node.Directory.Path, "metadata.db"));
        _build = _node.Builder();
        foreach (var repository in (string[])["app", "evil", "one", "two", TestNode.Repository])
        {
            _node.Registry.Content.AddBlob(repository, Genuine);
            _node.Registry.Content.AddBlob(repository, Evil);
        }
    }

    public async Task DisposeAsync()
    {
        _build.Dispose();
        _database.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task A_layer_whose_blob_does_not_unpack_to_what_the_image_says_is_not_mounted()
    {
        await using var catalog = _node.Catalog(_build);
        using var mounter = Mounter(catalog);
        var refused = await Assert.ThrowsAsync<LayerUnavailableException>(() => mounter.MountAsync(Image("app"), False, [], default));
        Assert.Contains(TestClaims.Of(Evil).Chain, refused.Message, StringComparison.Ordinal);
        Assert.Contains("names another diff ID", refused.Message, StringComparison.Ordinal);
        Assert.True(mounter.IsVerified((await mounter.MountAsync(Image("app"), True, [], default)).Id));
    }

    [Fact]
    public async Task A_layer_of_another_length_than_the_manifest_says_is_not_mounted()
    {
        await using var catalog = _node.Catalog(_build);
        using var mounter = Mounter(catalog);
        foreach (var wrong in (long[])[Genuine.Length - 1, Genuine.Length + 1])
        {
            var refused = await Assert.ThrowsAsync<LayerUnavailableException>(
                () => mounter.MountAsync(Image("app"), True with { Bytes = wrong }, [], default));
            Assert.Contains($"has {Genuine.Length} bytes, the image's manifest says {wrong}", refused.Message, StringComparison.Ordinal);
        }

        await mounter.MountAsync(Image("app"), True with { Bytes = Genuine.Length }, [], default);
    }

    [Fact]
    public async Task A_published_index_without_proof_counts_for_its_own_repository_alone()
    {
        await using var catalog = _node.Catalog(new Published(_node.Indexes, "evil", Genuine, Genuine, True.Chain), _build);
        using var mounter = Mounter(catalog);
        var layer = await mounter.MountAsync(Image("evil"), True, [], default);
        Assert.False(mounter.IsVerified(layer.Id));
        Assert.Null(await mounter.AdmitAsync(layer.Id, [Image("evil")], default));
        Assert.False(_node.Blobs.IsComplete(True.Layer));

        // For another image the blob is fetched, and it is right: from now on anybody may.
        Assert.Null(await mounter.AdmitAsync(layer.Id, [Image("evil"), Image(TestNode.Repository)], default));
        Assert.True(_node.Blobs.IsComplete(True.Layer));
        Assert.True(mounter.IsVerified(layer.Id));
    }

    [Fact]
    public async Task Another_image_never_opens_a_layer_by_the_index_of_a_repository_that_is_not_its_own()
    {
        await using var catalog = _node.Catalog(new Published(_node.Indexes, "evil", Evil, Genuine, True.Chain), _build);
        var evil = await catalog.OpenAsync(new LayerOrigin(Reference("evil"), null), True.Layer, default);
        var honest = await catalog.OpenAsync(new LayerOrigin(Reference(TestNode.Repository), null), True.Layer, default);
        Assert.NotEqual(evil.Index.Id, honest.Index.Id);
        Assert.Equal("GENUINE", await ReadAsync(honest));
        Assert.Equal(2, _node.Indexes.IdentitiesOf(True.Layer).Count);
    }

    [Theory]
    [InlineData("the tree of another layer")]
    [InlineData("a false diff ID")]
    public async Task An_index_that_lies_is_found_out_before_another_image_is_shown_by_it(string how)
    {
        // Of the evil layer, as if it unpacked to the genuine one; or of the genuine layer, with other files.
        var claim = how == "a false diff ID" ? False : True;
        await using var catalog = _node.Catalog(
            new Published(_node.Indexes, "evil", Evil, how == "a false diff ID" ? Evil : Genuine, True.Chain), _build);
        using var mounter = Mounter(catalog);
        var layer = await mounter.MountAsync(Image("evil"), claim, [], default);

        Assert.NotNull(await mounter.AdmitAsync(layer.Id, [Image("evil"), Image(TestNode.Repository)], default));

        Assert.False(mounter.IsVerified(layer.Id));
        var right = await mounter.MountVerifiedAsync(Image(TestNode.Repository), True, [], default);
        Assert.NotEqual(layer.Id, right.Id);
        Assert.True(mounter.IsVerified(right.Id));
        Assert.Equal(Errno.None, await mounter.LookAsync(right.Id));
        if (claim == False)
            await Assert.ThrowsAsync<LayerUnavailableException>(() => mounter.MountVerifiedAsync(Image("evil"), claim, [], default));
    }

    [Fact]
    public async Task A_repository_that_publishes_the_same_index_vouches_for_it_without_the_blob()
    {
        await using var catalog = _node.Catalog(
            new Published(_node.Indexes, "one", Genuine, Genuine, True.Chain), new Published(
                _node.Indexes, "two", Genuine, Genuine, True.Chain), _build);
        using var mounter = Mounter(catalog);
        var layer = await mounter.MountAsync(Image("one"), True, [], default);
        Assert.Null(await mounter.AdmitAsync(layer.Id, [Image("one"), Image("two")], default));
        Assert.False(_node.Blobs.IsComplete(True.Layer));
        Assert.False(mounter.IsVerified(layer.Id));
    }

    [Fact]
    public async Task An_index_left_by_a_program_that_kept_no_track_counts_for_the_repository_it_was_mounted_for()
    {
        long slot;
        await using (var catalog = _node.Catalog(_build))
        {
            using var mounter = Mounter(catalog);
            slot = (await mounter.MountAsync(Image(TestNode.Repository), True, [], default)).Id;
        }

        var file = _node.Indexes.FileOf(True.Layer);
        var folder = Path.GetDirectoryName(file)!;
        File.Move(file, folder + ".lsi");
        Directory.Delete(folder, recursive: true);

        var indexes = new LayerIndexStore(_node.Directory.Path);
        await using var after = _node.Catalog(_build);
        using var again = Mounter(after);
        Assert.False(again.IsVerified(slot));
        Assert.True(indexes.IsPublishedBy(True.Layer, indexes.IdentitiesOf(True.Layer).Single(), Reference(TestNode.Repository).Name));
        Assert.Equal(Errno.None, await again.LookAsync(slot));
    }

    private LayerMounter Mounter(LayerCatalog catalog) => new("/nowhere", catalog, new SlotStore(_database), NullLoggerFactory.Instance);

    private ImageReference Reference(string repository) => _node.Registry.Reference(repository);

    private RemoteImage Image(string repository) => new(Reference(repository).ToString(), null, []);

    private static async Task<string> ReadAsync(LazyLayer layer)
    {
        Assert.True(layer.Toc.TryFind(0, "bin"u8, out var bin));
        Assert.True(layer.Toc.TryFind(bin, "su"u8, out var entry));
        var bytes = new byte[7];
        Assert.Equal(bytes.Length, await layer.ReadAsync(entry, 0, bytes, default));
        return Encoding.ASCII.GetString(bytes);
    }

    // What a repository publishes of a layer: a zTOC, made of whatever blob, and the diff ID of its choice. (soci's own format
    // has no room for the layer it is of, nor for its diff ID: both are what the publisher says.)
    private sealed class Published(LayerIndexStore store, string repository, byte[] of, byte[] layer, string diffId) : ILayerIndexSource
    {
        public string Name => "published";

        public async Task<ObtainedIndex?> ObtainAsync(
            LayerOrigin origin, Digest digest, string? identity, CancellationToken cancellationToken)
        {
            if (!origin.Image.Name.EndsWith("/" + repository, StringComparison.Ordinal) || digest != Digest.OfSha256(layer))
                return null;
            using var bytes = new MemoryStream();
            await ZtocBuilder.BuildAsync(new MemoryStream(of), bytes, new ZtocOptions { SpanLength = 64 << 10 }, cancellationToken);
            var ztoc = Ztoc.Parse(bytes.ToArray());
            var descriptor = new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = digest, Size = ztoc.CompressedLength };
            var options = new ZtocImportOptions { DiffId = Digest.Parse(diffId) };
            return new ObtainedIndex(store.Import(ztoc, descriptor, origin.Image.Name, identity, options), []);
        }
    }
}
