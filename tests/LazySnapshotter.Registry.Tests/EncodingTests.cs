using System.IO.Compression;
using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// Content-Encoding although identity was asked for: said of bytes that are as they were stored, or of bytes that a proxy
// compressed on their way. Whatever it says, what has the digest is what is read.
public sealed class EncodingTests
{
    private const int Start = 1000;
    private const int Length = 200_000;

    private static readonly Platform Amd64 = new() { Os = "linux", Architecture = "amd64" };

    public static TheoryData<string> Words =>
    [
        "x-gzip", "gzip", "GZIP", "deflate", "br", "zstd", "identity", "aws-chunked",
        "aws-chunked, gzip", "gzip, x-gzip", "utf-8", "nonsense", ",", "",
    ];

    public static TheoryData<string> Codings => ["gzip", "x-gzip", "deflate", "bare deflate"];

    [Theory]
    [MemberData(nameof(Words))]
    public async Task Stored_bytes_that_are_said_to_be_encoded_are_taken_as_they_come(string word)
    {
        await using var bench = await Bench.StartAsync();
        var layer = Gzip(bench.Content);
        var blob = bench.Client.OpenBlob(bench.Reference, bench.Server.Content.AddBlob(Bench.Repository, layer));
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob }.With("Content-Encoding", word));
        Assert.Equal(layer[Start..(Start + 500)], await bench.ReadAsync(Start, 500, blob));
        Assert.True(blob.GivesRanges);
        await using var stream = await blob.OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(layer, await Bench.ReadAllAsync(stream));
        Assert.Equal("Ping Blob Blob", bench.TakeRequests());
    }

    [Theory]
    [MemberData(nameof(Words))]
    public async Task Documents_that_are_said_to_be_encoded_are_taken_as_they_come(string word)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(new Fault().With("Content-Encoding", word));
        await AssertResolvesAsync(bench);
    }

    // The head of a zlib stream (RFC 1950) that asks for a dictionary.
    [Fact]
    public void A_document_that_only_looks_like_zlib_is_taken_as_it_came()
    {
        byte[] document = [0x78, 0xBB, 1, 2, 3, 4, 5, 6];
        using var response = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        response.Content.Headers.TryAddWithoutValidation("Content-Encoding", "deflate");
        Assert.Equal(document, ContentCoding.Of(response)!.UndoDocument(document, 100));
    }

    [Theory]
    [MemberData(nameof(Codings))]
    public async Task Documents_that_a_proxy_compresses_are_what_they_were(string coding)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(new Fault { Compresses = coding, IgnoreRange = true });
        await AssertResolvesAsync(bench);
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.ResolveAsync(bench.Reference with { Tag = "none" }, Amd64, CancellationToken.None));
        Assert.Contains("MANIFEST_UNKNOWN", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_that_is_small_only_while_it_is_compressed_is_not_read()
    {
        await using var bench = await Bench.StartAsync();
        var content = Encoding.UTF8.GetBytes(new string(' ', 5 << 20));
        bench.Server.Content.AddManifest(Bench.Repository, "latest", MediaTypes.OciManifest, content);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, Compresses = "gzip" });
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.ResolveAsync(bench.Reference, Amd64, CancellationToken.None));
        Assert.Contains("longer than 4194304 bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Codings))]
    public async Task A_blob_that_a_proxy_compresses_is_what_it_was_where_the_length_tells(string coding)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Compresses = coding, IgnoreRange = true });
        await bench.AssertReadsAsync(Start, Length);
        Assert.False(bench.OpenBlob().GivesRanges);
        Assert.Equal("Ping Blob", bench.TakeRequests());
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, true, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public async Task Without_a_length_or_a_size_the_digest_tells_whether_a_blob_was_compressed(
        bool isGzip, bool isCompressed, bool sizeIsKnown)
    {
        await using var bench = await Bench.StartAsync();
        var content = isGzip ? Gzip(bench.Content) : bench.Content;
        var added = bench.Server.Content.AddBlob(Bench.Repository, content);
        var blob = bench.Client.OpenBlob(bench.Reference, added.Digest, sizeIsKnown ? added.Size : null);
        var fault = new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true, Unannounced = true };
        bench.Server.Faults.Add(isCompressed ? fault with { Compresses = "gzip" } : fault.With("Content-Encoding", "gzip"));
        await using (var stream = await blob.OpenAsync(ReadPriority.Demanded(), CancellationToken.None))
            Assert.Equal(content, await Bench.ReadAllAsync(stream));
        Assert.Equal("Ping Blob Blob", bench.TakeRequests());

        // It is remembered, of this blob.
        Assert.Equal(content[Start..(Start + 500)], await bench.ReadAsync(Start, 500, blob));
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_small_blob_that_is_as_long_compressed_as_it_was_is_found_out_by_its_digest()
    {
        await using var bench = await Bench.StartAsync();
        var content = AsLongCompressed();
        Assert.Equal(content.Length, Gzip(content).Length);
        var blob = bench.Server.Content.AddBlob(Bench.Repository, content);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Compresses = "gzip", IgnoreRange = true });
        Assert.Equal(content, await bench.Client.GetBlobBytesAsync(bench.Reference, blob, CancellationToken.None));
    }

    [Fact]
    public async Task A_range_of_compressed_bytes_is_no_range_of_the_blob()
    {
        await using var bench = await Bench.StartAsync();
        // What a cache makes of it that compresses first and cuts then.
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, When = request => request.Range is not null }
            .With("Content-Encoding", "gzip").With("Content-Range", $"bytes {Start}-{Start + Length - 1}/250000"));
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal(["bytes=1000-200999", null], bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Blob).Select(r => r.Range));
    }

    [Fact]
    public async Task A_compressed_body_that_breaks_off_goes_on_where_it_stopped()
    {
        await using var bench = await Bench.StartAsync();
        var compresses = new Fault { Kind = TestRequestKind.Blob, Compresses = "gzip", IgnoreRange = true };
        bench.Server.Faults.Add(compresses with { TruncateAt = 120_000, Times = 1 });
        bench.Server.Faults.Add(compresses);
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal("Ping Blob Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task What_has_the_digest_neither_way_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        var corrupts = new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true, Unannounced = true, CorruptAt = 5 };
        bench.Server.Faults.Add(corrupts.With("Content-Encoding", "gzip"));
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Contains("neither the 300000 bytes received have its digest", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coding_that_cannot_be_undone_is_named()
    {
        await using var bench = await Bench.StartAsync();
        var compresses = new Fault { Kind = TestRequestKind.Blob, Compresses = "gzip", IgnoreRange = true };
        bench.Server.Faults.Add(compresses.With("Content-Encoding", "br"));
        var error = await bench.FailsAsync(Start, Length);
        Assert.Contains("by Content-Length as compressed with br, its descriptor says 300000", error.Message, StringComparison.Ordinal);
    }

    private static async Task AssertResolvesAsync(Bench bench)
    {
        var manifest = bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64);
        var resolved = await bench.Client.ResolveAsync(bench.Reference, Amd64, CancellationToken.None);
        Assert.Equal(manifest.Digest, resolved.Root.Descriptor.Digest);
        Assert.NotEmpty(await bench.Client.GetBlobBytesAsync(bench.Reference, resolved.Manifest.Config, CancellationToken.None));
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, manifest.Digest, null, CancellationToken.None));
        Assert.Equal(["latest"], await bench.Client.ListTagsAsync(bench.Reference, CancellationToken.None));
    }

    // Random bytes do not shrink; as many zeros behind them as make up for what gzip adds.
    private static byte[] AsLongCompressed()
    {
        for (var zeros = 0; ; zeros++)
        {
            var content = new byte[200 + zeros];
            new Random(3).NextBytes(content.AsSpan(0, 200));
            if (Gzip(content).Length <= content.Length)
                return content;
        }
    }

    private static byte[] Gzip(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(content);
        return compressed.ToArray();
    }
}
