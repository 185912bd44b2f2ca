using System.Globalization;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Soci;

namespace LazySnapshotter.Demo;

// The demo's container three times: unpacked by overlayfs, lazily by soci-snapshotter with the index `soci create` makes and
// its default configuration, lazily by ours with ours. The registry is the awkward ordinary one: TLS, tokens from a service
// of its own, blobs on another host behind URLs that expire while the container starts. In turns; each round on new nodes.
internal static class BesideSoci
{
    /// <summary>Of a signed URL. Ordinary ones live for minutes; these shall end within the start.</summary>
    private static readonly TimeSpan UrlLifetime = TimeSpan.FromSeconds(5);

    /// <param name="rounds">What is printed are the medians by time to first output, each side's own.</param>
    /// <param name="requestsFolder">Where each run's requests are listed; null for nowhere.</param>
    /// <returns>Everybody's container said the same.</returns>
    public static async Task<bool> RunAsync(
        TestImage image, LinkProfile link, int rounds, string? requestsFolder, IReadOnlyList<string> sides)
    {
        await using var directory = TestDirectory.Create();
        await using var registry = await TestRegistry.StartAsync(new TestRegistryOptions
        {
            Link = link,
            Auth = TestAuthMode.Bearer,
            RedirectBlobs = true,
            UrlLifetime = UrlLifetime,
            Tls = true,
        });
        registry.Content.AddLayout(image.Name, image.LayoutPath);
        var certificate = directory.Combine("certificate.pem");
        await File.WriteAllTextAsync(certificate, registry.Certificate!.ExportCertificatePem());
        Environment.SetEnvironmentVariable("SSL_CERT_FILE", certificate); // for every process started from here
        var reference = $"{registry.OtherHost}/{image.Name}:{TestImage.Tag}";

        Console.WriteLine(
            $"registry  TLS, Bearer tokens, blobs redirected to another host by URLs that live {UrlLifetime.TotalSeconds:0} s");
        if (sides.Contains("soci"))
            await PublishSociAsync(reference, certificate);
        await ColdStart.PublishIndexAsync(reference);

        var starts = sides.ToDictionary(side => side, _ => new List<ColdStart>());
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var side in sides)
            {
                var start = await (side switch
                {
                    "overlayfs" => ColdStart.OverlayfsAsync(registry, reference),
                    "soci" => SociAsync(registry, reference, certificate),
                    _ => ColdStart.LazyAsync(registry, reference),
                });
                starts[side].Add(start);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"round {round}   {start.Name,-10}{start.Pull.TotalSeconds,7:0.00} s{start.FirstOutput.TotalSeconds,7:0.00} " +
                        $"s{start.End.TotalSeconds,7:0.00} s{start.Traffic.Bytes / 1e6,7:0.0} MB{start.Traffic.Requests,5} requests"));
                if (requestsFolder is not null)
                    await File.WriteAllLinesAsync(
                        Path.Combine(requestsFolder, $"{side}-{round}.txt"), start.Traffic.Lines.Select(line => line.ToString()));
            }
        }

        Console.WriteLine();
        var medians = sides.Select(side => starts[side].OrderBy(start => start.FirstOutput).ElementAt(rounds / 2)).ToList();
        Figures.Print(medians);
        return starts.Values.SelectMany(each => each).All(start => start.Output == medians[^1].Output);
    }

    private static async Task PublishSociAsync(string reference, string certificate)
    {
        await using var containerd = await ContainerdProcess.StartAsync();
        await using var soci = new SociTool(containerd, certificate);
        await containerd.PullAsync(reference, "overlayfs", plainHttp: false);
        (await soci.RunAsync("create", reference)).Checked(); // its defaults: spans of 4 MiB, no index for layers below 10 MiB
        await soci.PushAsync(reference);
    }

    private static Task<ColdStart> SociAsync(TestRegistry registry, string reference, string certificate) =>
        ColdStart.NotSilentAsync(async () =>
    {
        await using var node = await SociNode.StartAsync(certificate);
        return await ColdStart.MeasureAsync(
            "soci", registry, node.Containerd, reference, SociNode.Snapshotter, () => node.PullAsync(reference));
    });
}
