using System.Security.Cryptography;

namespace LazySnapshotter.Oci.Tests;

public sealed class DigestTests
{
    private const string Empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void The_digest_of_nothing_is_well_known()
    {
        var digest = Digest.OfSha256([]);
        Assert.Equal(Empty, digest.ToString());
        Assert.Equal("sha256", digest.Algorithm);
        Assert.Equal(Empty[7..], digest.Hex);
        Assert.Equal(Digest.Parse(Empty), digest);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../etc/passwd")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85\n")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85\u0665")]
    [InlineData("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256+b64u:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")]
    public void What_cannot_be_checked_is_no_digest(string? text)
    {
        Assert.False(Digest.TryParse(text, out var digest));
        Assert.True(digest.IsDefault);
        Assert.Throws<FormatException>(() => Digest.Parse(text ?? ""));
    }

    [Fact]
    public void Sha512_is_checked_as_sha512()
    {
        var digest = Digest.Parse("sha512:" + Convert.ToHexStringLower(SHA512.HashData("content"u8)));
        Assert.Equal("sha512", digest.Algorithm);
        Assert.True(digest.IsDigestOf("content"u8));
        Assert.False(digest.IsDigestOf("Content"u8));
        using var running = digest.CreateHash();
        running.AppendData("con"u8);
        running.AppendData("tent"u8);
        Assert.True(digest.Matches(running.GetHashAndReset()));
    }

    [Fact]
    public void A_hash_of_another_length_does_not_match()
    {
        Assert.False(Digest.Parse(Empty).Matches([]));
        Assert.False(Digest.Parse(Empty).Matches(new byte[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Digest.FromSha256(new byte[31]));
    }

    [Fact]
    public void Digests_are_equal_and_ordered_by_their_text()
    {
        Digest low = Digest.Parse("sha256:" + new string('0', 64)), high = Digest.Parse("sha256:" + new string('f', 64));
        Assert.True(low < high && high > low && low <= high && high >= low && low != high);
        Assert.True(low == Digest.Parse(low.ToString()));
        Assert.Equal(low.GetHashCode(), Digest.Parse(low.ToString()).GetHashCode());
        Assert.Equal([low, high], new[] { high, low }.Order());
    }

    [Fact]
    public void No_digest_is_equal_to_itself_and_has_no_parts()
    {
        Digest none = default;
        Assert.True(none.IsDefault);
        Assert.Equal("", none.ToString());
        Assert.Equal(default, none);
        Assert.NotEqual(none, Digest.Parse(Empty));
        Assert.Throws<InvalidOperationException>(() => none.Hex);
        Assert.Throws<InvalidOperationException>(() => none.IsDigestOf([]));
    }
}
