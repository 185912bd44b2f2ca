using System.Text;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Tests;

// What becomes of a layer that several want to open, or open and close, at the same time.
public sealed class LayerCatalogTests : IAsyncLifetime
{
    private TestNode _node = null!;
    private Descriptor _layer = null!;

    public async Task InitializeAsync()
    {
        _node = await TestNode.StartAsync();
        _layer = _node.AddLayer(TestLayers.Blob(("a", "content of a")));
    }

    public async Task DisposeAsync() => await _node.DisposeAsync();

    // What fails after the last one who waited for it has gone is nobody's failure.
    [Fact]
    public async Task An_attempt_that_nobody_waits_for_any_more_is_not_the_next_ones_failure()
    {
        var failing = new TaskCompletionSource<ObtainedIndex?>();
        var failed = new TaskCompletionSource();
        using var build = _node.Builder();
        await using var catalog = _node.Catalog(new Script("slow", async () =>
        {
            try
            {
                return await failing.Task;
            }
            finally
            {
                failed.TrySetResult();
            }
        }));
        using var impatience = new CancellationTokenSource();
        var first = catalog.OpenAsync(_node.Origin, _layer.Digest, impatience.Token);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        failing.SetException(new IOException("of long ago"));
        await failed.Task;
        await Task.Delay(100);

        failing = new TaskCompletionSource<ObtainedIndex?>();
        failing.SetException(new IOException("of now"));
        var e = await Assert.ThrowsAsync<IOException>(() => catalog.OpenAsync(_node.Origin, _layer.Digest, default));
        Assert.Equal("of now", e.Message);
    }

    [Fact]
    public async Task A_source_that_may_not_read_or_write_does_not_keep_the_next_from_being_asked()
    {
        using var build = _node.Builder();
        await using var catalog = _node.Catalog(
            new Script("forbidden", () => throw new UnauthorizedAccessException("Access to the path is denied.")), build);
        Assert.Equal(_layer.Digest, (await catalog.OpenAsync(_node.Origin, _layer.Digest, default)).Digest);
    }

    [Fact]
    public async Task Opening_and_removing_at_the_same_time_ends_with_a_layer_that_can_be_read()
    {
        using var build = _node.Builder();
        await using var catalog = _node.Catalog(build);
        await catalog.OpenAsync(_node.Origin, _layer.Digest, default);
        for (var i = 0; i < 50; i++)
        {
            var work = Enumerable.Range(0, 6).Select(n => Task.Run(async () =>
            {
                if (n % 3 == 0)
                    await catalog.RemoveAsync(_layer.Digest);
                else
                    await catalog.OpenAsync(_node.Origin, _layer.Digest, default);
            }));
            await Task.WhenAll(work);
        }

        var layer = await catalog.OpenAsync(_node.Origin, _layer.Digest, default);
        var content = new byte[100];
        var entry = Enumerable.Range(0, layer.Toc.Count).Single(i => layer.Toc[i].Size > 0);
        var length = await layer.ReadAsync(entry, 0, content, default);
        Assert.Equal("content of a", Encoding.UTF8.GetString(content.AsSpan(0, length)));
        Assert.True(catalog.StoredBytes(_layer.Digest) > layer.Index.FileLength, "what was read is not kept");
    }

    private sealed class Script(string name, Func<Task<ObtainedIndex?>> obtain) : ILayerIndexSource
    {
        public string Name => name;

        public Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken) =>
            obtain();
    }
}
