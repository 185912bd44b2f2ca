using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Soci;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests.Soci;

// `soci create` and ours beside each other, compared byte for byte.
public sealed class SociCreateTests(ITestOutputHelper output)
{
    private const string BuildTool = "AWS SOCI CLI v0.1";

    [SociFact]
    public Task Layers_of_the_python_image_get_socis_ztocs() => CompareAsync("python", identicalMin: 4);

    [SociFact]
    public Task Layers_of_the_java_image_get_socis_ztocs() => CompareAsync("java", identicalMin: 3);

    // Hard links, xattrs, devices, names that are not UTF-8, sparse files. One layer has a global header, which soci refuses; one has
    // several gzip members, of which soci sees the first only before its version 0.14.
    [SociFact]
    public Task Layers_of_the_quirks_image_get_socis_ztocs() => CompareAsync("quirks", identicalMin: 5);

    [SociFact]
    public async Task The_expected_digests_of_the_unit_tests_are_socis()
    {
        var folder = RepositoryRoot.Combine("tests", "LazySnapshotter.Layers.Tests", "Soci", "Fixtures");
        await using var containerd = await ContainerdProcess.StartAsync();
        await using var soci = new SociTool(containerd);
        var compared = 0;
        foreach (var line in File.ReadLines(Path.Combine(folder, "ztocs.txt")).Where(line => !line.StartsWith('#')))
        {
            var parts = line.Split(' ', 3);
            var layer = await File.ReadAllBytesAsync(Path.Combine(folder, parts[0]));
            var reference = await LayerImage.ImportAsync(containerd, parts[0].Replace('.', '-'), layer);
            var result = await soci.TryCreateAsync(reference, long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
            Assert.Contains(parts[2].StartsWith("sha256:", StringComparison.Ordinal)
                ? "-> ztoc " + parts[2]
                : parts[2], result.Output + result.Error, StringComparison.Ordinal);
            compared++;
        }

        Assert.True(compared > 20, "the table is not there");
    }

    private async Task CompareAsync(string name, int identicalMin)
    {
        var image = await TestImages.GetAsync(name);
        await using var containerd = await ContainerdProcess.StartAsync();
        await using var soci = new SociTool(containerd);
        var identical = 0;
        foreach (var descriptor in image.Layers)
        {
            var layer = await File.ReadAllBytesAsync(Path.Combine(image.LayoutPath, "blobs", "sha256", descriptor.Digest.Hex));
            var reference = await LayerImage.ImportAsync(containerd, descriptor.Digest.Hex[..12], layer);
            foreach (var spanLength in new[] { ZtocOptions.DefaultSpanLength, 300_000 })
            {
                var theirs = await soci.TryCreateAsync(reference, spanLength);
                using var ours = new MemoryStream();
                var result = await BuildAsync(layer, spanLength, ours);
                output.WriteLine($"{descriptor.Digest}, span {spanLength}: soci in {theirs.Duration.TotalSeconds:F2} " +
                    $"s, {result?.ToString() ?? "no zTOC"}");
                if (result is null)
                {
                    Assert.Contains("unsupported input tar entry 'g'", theirs.Error, StringComparison.Ordinal);
                    continue;
                }

                var digest = Digest.Parse(theirs.Checked().Output.Trim()[^("sha256:".Length + 64)..]);
                if (digest == result.Digest)
                {
                    Assert.Equal(await File.ReadAllBytesAsync(soci.PathOf(digest)), ours.ToArray());
                    identical++;
                    continue;
                }

                Assert.True(HasFurtherMembers(layer), $"another zTOC than {digest}");
                var first = Ztoc.Parse(await File.ReadAllBytesAsync(soci.PathOf(digest)));
                Assert.Equal((result.EntryCount, result.UncompressedLength), (first.EntryCount, first.UncompressedLength));
                Assert.True(first.SpanCount < result.SpanCount, "soci has more spans than we have");
            }
        }

        Assert.True(identical >= 2 * identicalMin, $"only {identical} zTOCs are the same");
    }

    private static async Task<ZtocBuildResult?> BuildAsync(byte[] layer, long spanLength, Stream output)
    {
        try
        {
            var options = new ZtocOptions { SpanLength = spanLength, BuildTool = BuildTool };
            return await ZtocBuilder.BuildAsync(new MemoryStream(layer), output, options, CancellationToken.None);
        }
        catch (UnsupportedLayerException)
        {
            return null;
        }
    }

    // Where an earlier soci stops: at the first trailer that something follows. (-15: raw deflate; the headers here have 10 bytes.)
    private static bool HasFurtherMembers(byte[] layer) => layer.AsSpan(10).IndexOf((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) > 0;
}
