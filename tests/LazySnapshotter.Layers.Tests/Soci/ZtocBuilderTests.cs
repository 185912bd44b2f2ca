using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Soci;

// zTOCs as `soci create` makes them. The expected digests are soci's own, of small layers that have everything in them a tar
// can say (Fixtures/make.py); `make test-matrix` compares real layers, and these again.
public sealed class ZtocBuilderTests
{
    public static TheoryData<string, long, string> Made => Rows(digests: true);

    public static TheoryData<string, long, string> Refused => Rows(digests: false);

    [Theory]
    [MemberData(nameof(Made))]
    public async Task A_ztoc_has_the_digest_of_socis(string layer, long spanLength, string digest)
    {
        var blob = SociFixture.Blob(layer);
        var options = new ZtocOptions { SpanLength = spanLength, BuildTool = SociFixture.BuildTool, ExpectedDigest = Digest.OfSha256(
            blob) };
        foreach (var chunk in new[] { 1, 517, blob.Length })
        {
            using var output = new MemoryStream();
            var result = await ZtocBuilder.BuildAsync(new TrickleStream(blob, chunk), output, options, CancellationToken.None);
            Assert.Equal(Digest.Parse(digest), result.Digest);
            Assert.Equal(result.Digest, Digest.OfSha256(output.ToArray()));
            Assert.Equal((output.Length, (long)blob.Length), (result.Length, result.CompressedLength));
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_soci_refuses_is_refused(string layer, long spanLength, string error)
    {
        using var output = new MemoryStream();
        var blob = new MemoryStream(SociFixture.Blob(layer));
        var exception = await Assert.ThrowsAnyAsync<Exception>(
            () => ZtocBuilder.BuildAsync(blob, output, new ZtocOptions { SpanLength = spanLength }, CancellationToken.None));

        // "unsupported input tar entry 'g'" or '7' (which containerd does not unpack either), or a header that is none.
        if (error.EndsWith("'7'", StringComparison.Ordinal))
            Assert.Contains("entry type 0x37", Assert.IsType<InvalidDataException>(exception).Message, StringComparison.Ordinal);
        else if (error.StartsWith("unsupported", StringComparison.Ordinal))
            Assert.Contains(
                $"of type {error[^3..]}", Assert.IsType<UnsupportedLayerException>(exception).Message, StringComparison.Ordinal);
        else
            Assert.Contains("not a tar header", Assert.IsType<InvalidDataException>(exception).Message, StringComparison.Ordinal);
        Assert.Equal(0, output.Length);
    }

    // Soci indexes further gzip members since 0.14. These are the checkpoints its C code of then makes: ztoc/compression/gzip_zinfo.c
    // at 77fb4266, generate_zinfo_from_file and zinfo_to_blob, SHA-256 of the blob.
    [Theory]
    [InlineData(1000, "sha256:3bc1d72c7376bd5b8cdedf2f967b02a2413537809611e21cf84e31ac56dc95f0")]
    [InlineData(4096, "sha256:ae586865b638fe68bca911e4d66318a98002194f77371a0d9ec477773df1741a")]
    public void Checkpoints_go_on_in_further_members(long spanLength, string digest)
    {
        var content = SociFixture.Content(SociFixture.Blob("members.tar.gz"), spanLength);
        Assert.Equal(Digest.Parse(digest), Digest.OfSha256(content.Checkpoints));
    }

    [Fact]
    public async Task Another_layer_than_expected_gives_no_ztoc()
    {
        using var output = new MemoryStream();
        var options = new ZtocOptions { ExpectedDigest = Digest.OfSha256("another"u8) };
        var exception = await Assert.ThrowsAsync<InvalidDataException>(
            () => ZtocBuilder.BuildAsync(new MemoryStream(SociFixture.Blob("plain.tar")), output, options, CancellationToken.None));
        Assert.Contains(options.ExpectedDigest.ToString()!, exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, output.Length);
    }

    [Theory]
    [InlineData("features.tar.gz", true)]
    [InlineData("spans.tar.gz", false)]
    public async Task A_layer_without_xattrs_may_be_marked_so(string layer, bool needsXattrs)
    {
        var result = await ZtocBuilder.BuildAsync(
            new MemoryStream(SociFixture.Blob(layer)), Stream.Null, new ZtocOptions(), CancellationToken.None);
        Assert.Equal(needsXattrs, result.NeedsXattrs);
    }

    private static TheoryData<string, long, string> Rows(bool digests)
    {
        var rows = new TheoryData<string, long, string>();
        foreach (var (layer, spanLength, result) in SociFixture.Expected)
        {
            if (result.StartsWith("sha256:", StringComparison.Ordinal) == digests)
                rows.Add(layer, spanLength, result);
        }

        return rows;
    }
}
