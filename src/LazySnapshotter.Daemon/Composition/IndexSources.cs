using LazySnapshotter.Artifacts;
using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Mounts.Library;
using LazySnapshotter.Registry;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon.Composition;

// The sources of indexes by the names a person gives them in the configuration.
public static class IndexSources
{
    private const string Soci = "soci";

    /// <summary>What a daemon does that nobody told otherwise (DESIGN D7).</summary>
    public static IReadOnlyList<string> Default { get; } = [NativeIndexSource.SourceName, Soci, StreamedIndexSource.SourceName];

    private static readonly string[] _names =
        [NativeIndexSource.SourceName, Soci, SociIndexSource.NameOf(version: 2), SociIndexSource.NameOf(version: 1), StreamedIndexSource.SourceName];

    /// <summary>What is wrong with a list of names; null if nothing is.</summary>
    public static string? WhyNot(IReadOnlyList<string> names) =>
        names.FirstOrDefault(name => !_names.Contains(name)) is { } unknown ? $"\"{unknown}\" is not one of {string.Join(", ", _names)}" : null;

    /// <exception cref="InvalidDataException">A name is none of a source.</exception>
    public static IReadOnlyList<ILayerIndexSource> Create(
        DaemonOptions.IndexSection options, RegistryClient registry, LayerIndexStore indexes, BlobStore blobs, ILoggerFactory loggers)
    {
        if (WhyNot(options.Sources) is { } why)
            throw new InvalidDataException($"index source {why}");
        var discovery = new IndexDiscovery(registry, loggers);
        return [.. options.Sources.SelectMany(name => name == Soci ? [SociIndexSource.NameOf(2), SociIndexSource.NameOf(1)] : new[] { name }).Distinct()
            .Select(CreateOne)];

        ILayerIndexSource CreateOne(string name) =>
            name == NativeIndexSource.SourceName ? new NativeIndexSource(discovery, registry, indexes, loggers)
            : name == SociIndexSource.NameOf(2) ? new SociIndexSource(2, discovery, registry, indexes, loggers)
            : name == SociIndexSource.NameOf(1) ? new SociIndexSource(1, discovery, registry, indexes, loggers)
            : new StreamedIndexSource(registry, indexes, blobs, options.Concurrency, loggers);
    }
}
