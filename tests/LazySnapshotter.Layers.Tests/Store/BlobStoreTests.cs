using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Store;

public sealed class BlobStoreTests : IDisposable
{
    private const int Kilo = 1 << 10;

    private readonly TempFolder _folder = new();
    private readonly TestLayer _layer = TestLayer.Random(seed: 7, 200 * Kilo, 20 * Kilo);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task After_a_restart_stored_spans_need_no_source_and_are_verified_once()
    {
        await using (var before = Harness())
            await before.ReadAndCompareAsync(0, 100 * Kilo);

        await using var after = Harness(new BlobServer([], _layer.Digest));
        await after.ReadAndCompareAsync(0, 100 * Kilo);
        var verified = after.Statistics[ReadCount.SpansVerified];
        Assert.Equal(after.Blob.PresentCount, verified);
        after.Cache.Drop(after.Blob);
        await after.ReadAndCompareAsync(0, 100 * Kilo);
        Assert.Equal(verified, after.Statistics[ReadCount.SpansVerified]);
        Assert.Empty(after.Server.Requests);
    }

    [Fact]
    public async Task A_span_damaged_on_disk_is_fetched_again_and_reported()
    {
        string sparse;
        await using (var before = Harness())
        {
            await before.ReadAndCompareAsync(0, _layer.Tar.Length);
            sparse = before.SparsePath;
        }

        var damaged = _layer.Spans[new SpanId(4)];
        Flip(sparse, damaged.CompressedOffset + 2);

        await using (var after = Harness())
        {
            Assert.True(after.Blob.IsFull);
            await after.ReadAndCompareAsync(0, _layer.Tar.Length);
            Assert.Equal([(damaged.CompressedOffset, damaged.CompressedLength)], after.Server.Requests);
            Assert.Contains(after.Log.Lines, line =>
                line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("stored span 4", StringComparison.Ordinal));
        }

        await using var healed = Harness();
        await healed.ReadAndCompareAsync(0, _layer.Tar.Length);
        Assert.Empty(healed.Server.Requests);
    }

    [Fact]
    public async Task A_bit_whose_data_was_lost_is_found_out()
    {
        string directory;
        await using (var before = Harness())
        {
            await before.ReadSpanAsync(2);
            directory = Path.GetDirectoryName(before.SparsePath)!;
        }

        var states = Assert.Single(Directory.GetFiles(directory, "*.spans"));
        File.WriteAllBytes(states, [0xFF, 0xFF]);
        await using var after = Harness();
        Assert.True(after.Blob.PresentCount > 10);
        await after.ReadAndCompareAsync(0, _layer.Tar.Length);
        Assert.True(after.Statistics[ReadCount.VerificationFailures] > 0);
    }

    [Fact]
    public async Task A_states_file_of_the_wrong_size_counts_as_empty()
    {
        string directory;
        await using (var before = Harness())
        {
            await before.ReadSpanAsync(2);
            directory = Path.GetDirectoryName(before.SparsePath)!;
        }

        File.WriteAllBytes(Assert.Single(Directory.GetFiles(directory, "*.spans")), new byte[5000]);
        await using var after = Harness();
        Assert.Equal(0, after.Blob.PresentCount);
        await after.ReadAndCompareAsync(0, _layer.Tar.Length);
        Assert.Contains(after.Log.Lines, line => line.Contains("5000 bytes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lost_sparse_file_is_an_empty_one()
    {
        string sparse;
        await using (var before = Harness())
        {
            await before.ReadAndCompareAsync(0, _layer.Tar.Length);
            sparse = before.SparsePath;
        }

        File.Delete(sparse);
        await using var after = Harness();
        Assert.Equal(0, after.Blob.PresentCount);
        await after.ReadAndCompareAsync(0, _layer.Tar.Length);
    }

    [Fact]
    public async Task The_file_has_holes_where_nothing_was_fetched()
    {
        var layer = TestLayer.Uniform(16, 64 * Kilo);
        await using var h = new LayerHarness(layer, _folder.Path, options: LayerHarness.NoReadAhead);
        await h.ReadSpanAsync(15);
        Assert.Equal(layer.Blob.Length, new FileInfo(h.SparsePath).Length);
        Assert.InRange(h.Store.AllocatedBytes(layer.Digest), 64 * Kilo, 128 * Kilo);
        Assert.Equal([new StoredBlob(layer.Digest, false, h.Store.AllocatedBytes(layer.Digest))], h.Store.Enumerate());
    }

    [Fact]
    public async Task Two_indexes_of_one_layer_share_the_file_and_not_the_states()
    {
        await using var h = Harness();
        using var other = h.Store.Open(_layer.Digest, "other", _layer.Spans);
        await h.ReadSpanAsync(1);
        Assert.True(h.Blob.IsPresent(new SpanId(1)));
        Assert.False(other.IsPresent(new SpanId(1)));
        Assert.Throws<InvalidOperationException>(() => h.Store.Open(_layer.Digest, "other", _layer.Spans));
    }

    [Fact]
    public void A_half_written_blob_is_a_leftover_only_when_nobody_else_uses_the_directory()
    {
        var first = BlobStore.Open(_folder.Path);
        var partial = Path.Combine(first.Directory, "sha256", $"{_layer.Digest.Hex}.{Guid.NewGuid():N}.partial");
        File.WriteAllText(partial, "half");

        using (BlobStore.Open(_folder.Path))
            Assert.True(File.Exists(partial));

        first.Dispose();
        BlobStore.Open(_folder.Path).Dispose();
        Assert.False(File.Exists(partial));
    }

    [Fact]
    public async Task Two_stores_on_one_directory_read_the_same_layer()
    {
        await using var h = Harness();
        await using var other = Harness();
        await h.ReadSpanAsync(2);
        await other.ReadSpanAsync(4);
        await h.ReadAndCompareAsync(0, _layer.Tar.Length);
        await other.ReadAndCompareAsync(0, _layer.Tar.Length);
    }

    [Fact]
    public async Task A_whole_blob_makes_every_span_present_also_for_who_has_it_open()
    {
        await using var h = Harness();
        await h.ReadSpanAsync(3);
        Assert.True(await StreamAsync(h.Store, _layer.Blob));
        Assert.True(h.Blob.IsFull && h.Blob.IsComplete && h.Store.IsComplete(_layer.Digest));
        Assert.Equal([_layer.Digest.Hex + ".blob"], Files(h.Store));
        await h.ReadAndCompareAsync(0, _layer.Tar.Length);
        Assert.Single(h.Server.Requests);
        using var opened = h.Store.OpenComplete(_layer.Digest)!;
        Assert.Equal(_layer.Digest, Digest.FromSha256(System.Security.Cryptography.SHA256.HashData(opened)));
    }

    [Fact]
    public async Task A_whole_blob_survives_a_restart_and_heals_when_damaged()
    {
        string path;
        using (var store = BlobStore.Open(_folder.Path))
        {
            Assert.True(await StreamAsync(store, _layer.Blob));
            path = Path.Combine(store.Directory, "sha256", _layer.Digest.Hex + ".blob");
        }

        Flip(path, _layer.Spans[new SpanId(5)].CompressedOffset + 1);
        using (var file = File.OpenWrite(path))
            file.SetLength(_layer.Blob.Length - 1);
        await using (var h = Harness())
        {
            Assert.True(h.Blob.IsComplete);
            await h.ReadAndCompareAsync(0, _layer.Tar.Length);
            Assert.Equal(2, h.Server.Requests.Count);
        }

        Assert.Equal(_layer.Blob, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task Bytes_of_another_blob_are_not_kept()
    {
        using var store = BlobStore.Open(_folder.Path);
        var wrong = _layer.Blob.ToArray();
        wrong[1000] ^= 1;
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => StreamAsync(store, wrong));
        Assert.Contains(_layer.Digest.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Contains(Digest.OfSha256(wrong).Hex, failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(() => StreamAsync(store, _layer.Blob[..^1]));
        await Assert.ThrowsAsync<InvalidDataException>(() => StreamAsync(store, [.. _layer.Blob, 1]));
        Assert.Empty(Files(store));
    }

    [Fact]
    public void What_an_interrupted_process_left_is_removed()
    {
        string directory;
        using (var store = BlobStore.Open(_folder.Path))
            directory = Path.Combine(store.Directory, "sha256");
        var hex = _layer.Digest.Hex;
        var other = new string('a', 64);
        foreach (var name in (string[])[
            $"{hex}.0123.partial", $"{hex}.blob", $"{hex}.index.sparse", $"{hex}.index.spans", $"{other}.index.sparse",
                $"{other}.index.spans",
            $"{other}.lost.spans", $"{other}.empty.sparse"])
            File.WriteAllText(Path.Combine(directory, name), "x");

        using var again = BlobStore.Open(_folder.Path);
        Assert.Equal([$"{other}.index.spans", $"{other}.index.sparse", $"{hex}.blob"], Files(again)
            .OrderBy(name => name[0] != 'a').ThenBy(name => name, StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_a_former_version_fetched_is_still_here()
    {
        string sparse;
        await using (var before = Harness())
        {
            await before.ReadAndCompareAsync(0, _layer.Tar.Length);
            sparse = before.SparsePath;
        }

        // It had one sparse file a layer.
        File.Move(sparse, Path.Combine(Path.GetDirectoryName(sparse)!, _layer.Digest.Hex + ".sparse"));
        await using var after = Harness();
        await after.ReadAndCompareAsync(0, _layer.Tar.Length);
        Assert.Empty(after.Server.Requests);
    }

    [Fact]
    public async Task One_index_of_a_layer_never_reads_what_another_one_took_for_its_bytes()
    {
        await using var h = Harness();
        await h.ReadAndCompareAsync(0, _layer.Tar.Length);
        using (var lying = h.Store.Open(_layer.Digest, "lying", _layer.Spans))
        {
            Assert.Equal(0, lying.PresentCount);
            Assert.True(lying.TryStore(_layer.Spans[new SpanId(0)], new byte[_layer.Spans[new SpanId(0)].CompressedLength]));
        }

        h.Cache.Drop(h.Blob);
        await h.ReadAndCompareAsync(0, _layer.Tar.Length);
    }

    [Fact]
    public async Task A_removed_layer_is_gone_but_who_has_it_open_reads_on()
    {
        await using var h = Harness();
        await h.ReadAndCompareAsync(0, 50 * Kilo);
        h.Store.Remove(_layer.Digest);
        Assert.Empty(Files(h.Store));
        Assert.Empty(h.Store.Enumerate());
        await h.ReadAndCompareAsync(0, _layer.Tar.Length);
        Assert.Empty(Files(h.Store));
        using var anew = h.Store.Open(_layer.Digest, "test", _layer.Spans);
        Assert.Equal(0, anew.PresentCount);
    }

    [Fact]
    public async Task A_span_table_longer_or_shorter_than_the_whole_blob_serves_no_wrong_byte()
    {
        using var store = BlobStore.Open(_folder.Path);
        Assert.True(await StreamAsync(store, _layer.Blob));
        var shorter = new SpanTable([0], [0], new byte[32], _layer.Blob.Length - 1, 100);
        var failure = Assert.Throws<InvalidDataException>(() => store.Open(_layer.Digest, "shorter", shorter));
        Assert.Contains($"the blob has {_layer.Blob.Length}", failure.Message, StringComparison.Ordinal);
        using var longer = store.Open(_layer.Digest, "longer", new SpanTable([0], [0], new byte[32], _layer.Blob.Length + 1, 100));
        Assert.False(longer.TryRead(longer.Spans[new SpanId(0)], new byte[_layer.Blob.Length + 1]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("a.b")]
    [InlineData("A")]
    public void An_index_id_that_is_no_file_name_is_refused(string indexId)
    {
        using var store = BlobStore.Open(_folder.Path);
        Assert.Throws<ArgumentException>(() => store.Open(_layer.Digest, indexId, _layer.Spans));
    }

    private static string[] Files(BlobStore store) =>
        [.. Directory.GetFiles(Path.Combine(store.Directory, "sha256")).Select(path => Path.GetFileName(path))];

    private static void Flip(string path, long offset)
    {
        using var file = File.Open(path, FileMode.Open);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 0xFF));
    }

    private async Task<bool> StreamAsync(BlobStore store, byte[] bytes)
    {
        using var writer = store.CreateWriter(_layer.Digest, _layer.Blob.Length);
        foreach (var chunk in bytes.Chunk(10_000))
            writer.Write(chunk);
        return await writer.CompleteAsync(default);
    }

    private LayerHarness Harness(BlobServer? server = null) => new(_layer, _folder.Path, server, LayerHarness.NoReadAhead);
}
