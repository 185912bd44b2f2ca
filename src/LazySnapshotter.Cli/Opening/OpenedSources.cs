using System.CommandLine;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Opening;

// The image sources of one run of a command, with one registry client for all of them.
internal sealed class OpenedSources : IAsyncDisposable
{
    private readonly RegistryClient _registry;
    private readonly List<IImageSource> _sources = [];

    private OpenedSources(RegistryClient registry) => _registry = registry;

    public IReadOnlyList<IImageSource> All => _sources;

    public static async Task<OpenedSources> OpenAsync(
        IEnumerable<string> texts, SourceOptions options, ParseResult parsed, ILoggerFactory loggers)
    {
        var names = texts.Select(ImageSourceName.Parse).ToList();
        var registries = names.Where(name => name.Kind == ImageSourceKind.Registry)
            .Select(name => ImageReference.Parse(name.Reference!).Registry).Distinct();
        var section = ImageArguments.RegistrySection(parsed.GetValue(options.PlainHttp) ? registries : [], parsed.HostsDirectory());
        var opened = new OpenedSources(new RegistryClient(section.ToClientOptions(), loggers.CreateLogger<RegistryClient>()));
        try
        {
            foreach (var name in names)
                opened._sources.Add(
                    opened.Open(name, parsed.GetRequiredValue(options.Address), parsed.GetRequiredValue(options.Namespace)));
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources)
            await source.DisposeAsync();
        _registry.Dispose();
    }

    private IImageSource Open(ImageSourceName name, string containerd, string namespaceName) => name.Kind switch
    {
        ImageSourceKind.OciLayout => OciLayoutSource.OpenDirectory(name.Text, name.Path!, name.Reference, name.Digest),
        ImageSourceKind.OciArchive => OciLayoutSource.OpenArchive(name.Text, name.Path!, name.Reference, name.Digest),
        ImageSourceKind.DockerArchive => DockerArchiveSource.Open(name.Text, name.Path!, name.Reference),
        ImageSourceKind.Containerd =>
            new ContainerdImageSource(name.Text, new ContainerdClient(containerd, namespaceName), name.Reference!),
        _ => new RegistryImageSource(_registry, ImageReference.Parse(name.Reference!)),
    };
}
