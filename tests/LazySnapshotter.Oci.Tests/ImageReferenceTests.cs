namespace LazySnapshotter.Oci.Tests;

// References as docker and containerd read them (distribution's reference grammar and its familiar names).
public sealed class ImageReferenceTests
{
    private const string D = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("python", "docker.io", "library/python", "latest", null)]
    [InlineData("python:3.12", "docker.io", "library/python", "3.12", null)]
    [InlineData("team/python", "docker.io", "team/python", "latest", null)]
    [InlineData("docker.io/python", "docker.io", "library/python", "latest", null)]
    [InlineData("index.docker.io/team/python:a", "docker.io", "team/python", "a", null)]
    [InlineData("localhost/python", "localhost", "python", "latest", null)]
    [InlineData("localhost:5000/python", "localhost:5000", "python", "latest", null)]
    [InlineData("localhost:5000", "docker.io", "library/localhost", "5000", null)]
    [InlineData("ghcr.io/a/b/c:v1.0_x-Y", "ghcr.io", "a/b/c", "v1.0_x-Y", null)]
    [InlineData("registry.example:5000/a@" + D, "registry.example:5000", "a", null, D)]
    [InlineData("registry.example/a:tag@" + D, "registry.example", "a", "tag", D)]
    [InlineData("python@" + D, "docker.io", "library/python", null, D)]
    [InlineData("127.0.0.1:65535/a", "127.0.0.1:65535", "a", "latest", null)]
    [InlineData("[::1]:5000/a:b", "[::1]:5000", "a", "b", null)]
    [InlineData("[2001:db8::1]/a", "[2001:db8::1]", "a", "latest", null)]
    [InlineData("UPPER/a", "UPPER", "a", "latest", null)]
    [InlineData("a/b.c/d_e/f__g/h-i/j---k", "docker.io", "a/b.c/d_e/f__g/h-i/j---k", "latest", null)]
    [InlineData("xn--n3h.example/a", "xn--n3h.example", "a", "latest", null)]
    public void A_reference_has_parts(string text, string registry, string repository, string? tag, string? digest)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal(registry, reference.Registry);
        Assert.Equal(repository, reference.Repository);
        Assert.Equal(tag, reference.Tag);
        Assert.Equal(digest, reference.Digest?.ToString());
        Assert.Equal(digest ?? tag, reference.TagOrDigest);
        Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
    }

    [Theory]
    [InlineData("", "is not a repository name")]
    [InlineData(" ", "is not a repository name")]
    [InlineData("Python", "is not a repository name")]
    [InlineData("a//b", "is not a repository name")]
    [InlineData("/a", "is not a repository name")]
    [InlineData("a/", "is not a repository name")]
    [InlineData("docker.io/", "is not a repository name")]
    [InlineData("a/../b", "is not a repository name")]
    [InlineData("a/.b", "is not a repository name")]
    [InlineData("a/b_", "is not a repository name")]
    [InlineData("a/b___c", "is not a repository name")]
    [InlineData("a/b..c", "is not a repository name")]
    [InlineData("a/é", "is not a repository name")]
    [InlineData("a/b\n", "is not a repository name")]
    [InlineData("a/b?x=1", "is not a repository name")]
    [InlineData("https://registry.example/a", "has no scheme")]
    [InlineData("a:", "is not a tag")]
    [InlineData("a:-x", "is not a tag")]
    [InlineData("a:x y", "is not a tag")]
    [InlineData("a:x\n", "is not a tag")]
    [InlineData("a@", "is not a digest")]
    [InlineData("a@sha256:short", "is not a digest")]
    [InlineData("a@" + D + "@" + D, "is not a digest")]
    [InlineData("-bad.example/a", "is not a host name")]
    [InlineData("bad..example/a", "is not a host name")]
    [InlineData("user@registry.example/a", "is not a digest")]
    [InlineData("registry.example:/a", "is not a host name")]
    [InlineData("registry.example:65536/a", "is not a host name")]
    [InlineData("registry.example:99999/a", "is not a host name")]
    [InlineData("[:::]:5000/a", "is not a host name")]
    [InlineData("[12345::1]/a", "is not a host name")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "an image's ID")]
    public void What_is_no_reference_says_why(string text, string complaint)
    {
        var error = Assert.Throws<FormatException>(() => ImageReference.Parse(text));
        Assert.StartsWith($"image reference \"{text}\": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, error.Message, StringComparison.Ordinal);
        Assert.False(ImageReference.TryParse(text, out _));
    }

    [Fact]
    public void Lengths_have_limits()
    {
        Assert.True(ImageReference.TryParse("r.example/" + new string('a', 255), out _));
        Assert.False(ImageReference.TryParse("r.example/" + new string('a', 256), out _));
        Assert.True(ImageReference.TryParse("a:" + new string('t', 128), out _));
        Assert.False(ImageReference.TryParse("a:" + new string('t', 129), out _));
        Assert.False(ImageReference.TryParse(new string('a', 1 << 20) + ".example/a", out _));
        Assert.False(ImageReference.TryParse(null, out _));
    }

    [Fact]
    public void Every_registry_that_parses_makes_a_url()
    {
        const int Seed = 99;
        var random = new Random(Seed);
        const string Alphabet = "aZ09.-:[]_/";
        for (var i = 0; i < 100_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(14)).Select(_ => Alphabet[random.Next(Alphabet.Length)])) + "/x";
            if (ImageReference.TryParse(text, out var reference))
                Assert.True(Uri.TryCreate($"https://{reference.Registry}/", UriKind.Absolute, out _), $"seed {Seed}: {text}");
        }
    }
}
