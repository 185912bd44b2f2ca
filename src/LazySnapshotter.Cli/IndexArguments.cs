using System.CommandLine;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli;

// What the commands that move indexes have in common: for which platforms of an image, whose format, and from there to the
// manifests an index belongs to.
internal static class IndexArguments
{
    public static Option<IndexFormat?> Format(string description) => new("--format")
    {
        Description = description,
        HelpName = "native|soci",
        CustomParser = result => result.Tokens is [{ Value: var text }] && Enum.TryParse<IndexFormat>(text, ignoreCase: true, out var format) && Enum.IsDefined(format)
            ? format
            : Refuse(result),
    };

    public static Option<string[]> Platform() => new("--platform")
    {
        Description = "The image for this platform, for example linux/arm64; may be repeated [default: this machine's]",
        HelpName = "OS/ARCH",
    };

    public static Option<bool> AllPlatforms() => new("--all-platforms") { Description = "The images for all platforms" };

    public static PlatformSelection Platforms(string[]? named, bool all) =>
        all ? PlatformSelection.All : named is { Length: > 0 } ? PlatformSelection.Parse(named) : PlatformSelection.Machine;

    public static RegistryClient OpenRegistry(IEnumerable<ImageReference> images, bool plainHttp, ILoggerFactory loggers)
    {
        var hosts = plainHttp ? images.Select(image => image.Registry) : [];
        return new RegistryClient(new RegistryOptions { PlainHttp = RegistryOptions.PlainHttpOn(hosts) }, loggers.CreateLogger<RegistryClient>());
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
