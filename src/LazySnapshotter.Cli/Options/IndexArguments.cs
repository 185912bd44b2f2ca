using System.CommandLine;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Options;

// What the commands that move indexes have in common: whose format, and from a reference to the manifests an index
// belongs to.
internal static class IndexArguments
{
    public static Option<IndexFormat?> Format(string description) => new("--format")
    {
        Description = description,
        HelpName = "native|soci",
        CustomParser = result => result.Tokens is [{ Value: var text }]
            && Enum.TryParse<IndexFormat>(text, ignoreCase: true, out var format) && Enum.IsDefined(format)
            ? format
            : Refuse(result),
    };

    public static RegistryClient OpenRegistry(
        IEnumerable<ImageReference> images, bool plainHttp, string? hostsDirectory, ILoggerFactory loggers)
    {
        var hosts = plainHttp ? images.Select(image => image.Registry) : [];
        return new RegistryClient(
            ImageArguments.RegistrySection(hosts, hostsDirectory).ToClientOptions(), loggers.CreateLogger<RegistryClient>());
    }

    /// <summary>The images, each with the manifest its indexes belong to.</summary>
    public static async Task<IReadOnlyList<(SourceImage Image, Descriptor Manifest)>> FindAsync(
        RegistryClient registry, ImageReference reference, PlatformSelection platforms, CancellationToken cancellationToken)
    {
        await using var source = new RegistryImageSource(registry, reference);
        return [.. (await source.FindImagesAsync(platforms, cancellationToken)).Select(image => (image, image.Manifest!))];
    }

    private static IndexFormat? Refuse(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError("--format is native or soci");
        return null;
    }
}
