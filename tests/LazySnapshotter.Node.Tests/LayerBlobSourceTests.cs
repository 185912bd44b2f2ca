using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Tests;

public sealed class LayerBlobSourceTests
{
    private static readonly Digest Layer = Digest.OfSha256("layer"u8);

    [Fact]
    public async Task The_latest_repository_is_asked_first_and_the_next_when_it_fails()
    {
        var source = new LayerBlobSource(Layer);
        var asked = new List<string>();
        source.Add(ImageReference.Parse("registry.example/old"), () => new Repository("old", asked, fails: false));
        source.Add(ImageReference.Parse("registry.example/new"), () => new Repository("new", asked, fails: true));

        await using var range = await source.OpenRangeAsync(0, 1, ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(["new", "old"], asked);
    }

    [Fact]
    public async Task The_last_failure_is_reported_and_no_repository_at_all_is_said_so()
    {
        var source = new LayerBlobSource(Layer);
        var none = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(ReadPriority.Demanded(), CancellationToken.None));
        Assert.Contains(Layer.ToString(), none.Message, StringComparison.Ordinal);

        source.Add(ImageReference.Parse("registry.example/only"), () => new Repository("only", [], fails: true));
        var failed = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal("only", failed.Message);
    }

    [Fact]
    public async Task A_registry_in_trouble_is_not_asked_for_each_of_its_repositories()
    {
        var source = new LayerBlobSource(Layer);
        var asked = new List<string>();
        source.Add(ImageReference.Parse("other.example/a"), () => new Repository("a at other", asked, fails: true));
        source.Add(ImageReference.Parse("registry.example/c"), () => new Repository("c", asked, fails: true, isFinal: true));
        source.Add(ImageReference.Parse("registry.example/b"), () => new Repository("b", asked, fails: true, isFinal: true));
        source.Add(ImageReference.Parse("registry.example/a"), () => new Repository("a", asked, fails: true, isFinal: true));
        var failed = await Assert.ThrowsAsync<IOException>(() => source.OpenAsync(ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal("a at other", failed.Message);
        Assert.Equal(["a", "a at other"], asked);
    }

    private sealed class FinalException(string message) : IOException(message), ISourceFailure
    {
        public bool IsFinal => true;
    }

    private sealed class Repository(string name, List<string> asked, bool fails, bool isFinal = false) : IBlobReader
    {
        public Digest Digest => Layer;

        public async Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken) =>
            new(await OpenAsync(priority, cancellationToken), offset, offset + length);

        public Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken)
        {
            asked.Add(name);
            return fails
                ? Task.FromException<Stream>(isFinal ? new FinalException(name) : new IOException(name))
                : Task.FromResult<Stream>(new MemoryStream([1]));
        }
    }
}
