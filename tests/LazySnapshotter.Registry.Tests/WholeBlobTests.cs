using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// A layer read once from its first byte to its last, as indexing does.
public sealed class WholeBlobTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_whole_blob_comes_with_one_request_without_a_range(bool sizeKnown)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { RedirectBlobs = true });
        await using var stream = await bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, sizeKnown ? bench.Blob.Size : null)
            .OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(stream));
        Assert.All(bench.Server.Requests, request => Assert.Null(request.Range));
        Assert.Equal("Ping Blob Cdn", bench.TakeRequests());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_is_continued_where_it_broke_off(bool sizeKnown)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, TruncateAt = 100_000, Times = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, StallAt = 100_000, Times = 1 });
        await using var stream = await bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, sizeKnown ? bench.Blob.Size : null)
            .OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(stream));
        Assert.Equal([null, "bytes=100000-299999", "bytes=200000-299999"],
            bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Blob).Select(r => r.Range));
    }

    [Fact]
    public async Task A_body_of_unannounced_length_ends_the_blob_where_it_ends()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, EndAt = 300_000 });
        await using var stream = await bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, null)
            .OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_reader_that_takes_its_time_is_not_taken_for_a_silent_host()
    {
        await using var bench = await Bench.StartAsync();
        await using var stream = await bench.OpenBlob().OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        await stream.ReadExactlyAsync(new byte[10]);
        await Task.Delay(bench.Options.StallTimeout * 2);
        Assert.Equal(bench.Content[10..], await Bench.ReadAllAsync(stream));
        Assert.Equal("Ping Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task It_can_be_read_synchronously()
    {
        await using var bench = await Bench.StartAsync();
        await using var stream = await bench.OpenBlob().OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        var read = await Task.Run(() =>
        {
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return content.ToArray();
        });
        Assert.Equal(bench.Content, read);
    }

    [Fact]
    public async Task Nothing_is_asked_for_where_nothing_is_wanted()
    {
        await using var bench = await Bench.StartAsync();
        Assert.Empty(await bench.ReadAsync(5, 0));
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task A_blob_from_a_file_is_served_in_ranges_too()
    {
        await using var bench = await Bench.StartAsync();
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, bench.Content);
            var other = bench.Server.Content.AddBlobFile("from/file", bench.Blob.Digest, path);
            var blob = bench.Client.OpenBlob(bench.Server.Reference("from/file"), other.Digest, other.Size);
            Assert.Equal(bench.Content[12_345..23_456], await bench.ReadAsync(12_345, 23_456 - 12_345, blob));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
