using System.Diagnostics;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Spans;

namespace LazySnapshotter.Layers.Tests.Store;

// A disk without room, for real: a tmpfs of a few pages.
public sealed class FullDiskTests : IDisposable
{
    private const int Kilo = 1 << 10;

    private readonly TempFolder _folder = new();

    public FullDiskTests() => Run("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", _folder.Path);

    public void Dispose()
    {
        Run("umount", _folder.Path);
        _folder.Dispose();
    }

    [Fact]
    public async Task Reads_go_on_from_memory_are_logged_once_and_stored_again_when_there_is_room()
    {
        var ballast = Path.Combine(_folder.Path, "ballast");
        await using var h = new LayerHarness(
            TestLayer.Uniform(32, 16 * Kilo), _folder.Path, options: LayerHarness.NoReadAhead, cache: new SpanCache(0));
        File.WriteAllBytes(ballast, new byte[64 * Kilo]);
        for (var round = 0; round < 2; round++)
        {
            for (var offset = 0; offset < h.Layer.Tar.Length; offset += 10 * Kilo)
                await h.ReadAndCompareAsync(offset, 10 * Kilo);
        }

        Assert.InRange(h.Blob.PresentCount, 1, 4);
        Assert.Single(h.Log.Lines, line =>
            line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("No space left", StringComparison.Ordinal));
        await Assert.ThrowsAsync<IOException>(() => h.Reader.WarmAsync(0, h.Layer.Tar.Length, default));

        // What was warmed may still be coming, and be stored as well.
        Assert.False(h.Blob.IsPresent(new SpanId(20)));
        File.Delete(ballast);
        await h.ReadSpanAsync(20);
        Assert.True(h.Blob.IsPresent(new SpanId(20)));
        for (var i = 0; i < 500 && h.Log.Lines.Length < 2; i++)
            await Task.Delay(10); // The line comes behind the span that it is about.
        // What was warmed may have filled the room and been refused once more: each change is said once.
        var lines = h.Log.Lines;
        for (var i = 0; i < lines.Length; i++)
            Assert.Contains(i % 2 == 0 ? "No space left" : "stored again", lines[i], StringComparison.Ordinal);
        Assert.True(lines.Length >= 2, string.Join('\n', lines));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public async Task Spans_go_on_from_ones_that_the_disk_does_not_take(int cacheBytes)
    {
        using var layer = new ContinuedLayer();
        await using var h = layer.Harness(_folder.Path, cacheBytes);
        for (var offset = 0; offset < layer.Layer.Tar.Length; offset += 300_000)
            await h.ReadAndCompareAsync(offset, 300_000);
        for (var span = 3; span < layer.Spans.Count; span += 20)
            await h.ReadSpanAsync(span);
        Assert.NotEqual(layer.Spans.Count, h.Blob.PresentCount);
    }

    [Fact]
    public async Task Concurrent_readers_of_a_span_that_cannot_be_stored_share_the_bytes()
    {
        var release = new TaskCompletionSource();
        await using var h = new LayerHarness(TestLayer.Uniform(4, 16 * Kilo), _folder.Path, options: LayerHarness.NoReadAhead);
        h.Server.Then(new Fault { StallAfter = 0, Release = release.Task });
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "ballast"), new byte[FreeBytes()]);
        var reads = Enumerable.Range(0, 10).Select(_ => h.ReadSpanAsync(2)).ToArray();
        release.SetResult();
        await Task.WhenAll(reads);
        Assert.Single(h.Server.Requests);
        Assert.Equal(0, h.Blob.PresentCount);
    }

    [Fact]
    public async Task A_whole_blob_that_does_not_fit_is_checked_but_not_kept()
    {
        var layer = TestLayer.Uniform(32, 16 * Kilo);
        using var store = BlobStore.Open(_folder.Path);
        using var writer = store.CreateWriter(layer.Digest, layer.Blob.Length);
        foreach (var chunk in layer.Blob.Chunk(30_000))
            writer.Write(chunk);
        Assert.False(await writer.CompleteAsync(default));
        Assert.Empty(Directory.GetFiles(Path.Combine(store.Directory, "sha256")));
    }

    private long FreeBytes() => new DriveInfo(_folder.Path).AvailableFreeSpace;

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
