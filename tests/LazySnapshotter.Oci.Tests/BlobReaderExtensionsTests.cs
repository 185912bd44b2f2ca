namespace LazySnapshotter.Oci.Tests;

public sealed class BlobReaderExtensionsTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];

    [Theory]
    [InlineData(50, 70)]
    [InlineData(0, 200)]
    [InlineData(20, 200)]
    [InlineData(0, 70)]
    public async Task More_than_was_asked_for_is_dropped_on_both_sides(int start, int end)
    {
        var source = new Source(start, end, announced: end);
        var stream = await source.OpenExactRangeAsync(50, 20, ReadPriority.Demanded(), default);
        var read = new MemoryStream();
        await stream.CopyToAsync(read);
        Assert.Equal(Content[50..70], read.ToArray());
        await stream.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => source.Body!.ReadByte());
    }

    [Fact]
    public async Task An_end_before_the_last_wanted_byte_is_an_error()
    {
        await using var stream = await new Source(0, 60, announced: null).OpenExactRangeAsync(50, 20, ReadPriority.Demanded(), default);
        await Assert.ThrowsAsync<EndOfStreamException>(() => stream.CopyToAsync(Stream.Null));
    }

    private sealed class Source(int start, int end, long? announced) : IBlobReader
    {
        public MemoryStream? Body { get; private set; }

        public Digest Digest { get; } = Digest.OfSha256(Content);

        public Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken) =>
            Task.FromResult(new BlobRange(Body = new MemoryStream(Content, start, end - start), start, announced));

        public Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
