using LazySnapshotter.Artifacts.IndexSources;
using LazySnapshotter.Node.Catalog;

namespace LazySnapshotter.Node.Options;

// The names a person gives the sources of indexes in the configuration.
public static class IndexSourceNames
{
    /// <summary>Both versions of soci's, the newer one first.</summary>
    public const string Soci = "soci";

    /// <summary>What a daemon does that nobody told otherwise (DESIGN D7).</summary>
    public static IReadOnlyList<string> Default { get; } = [NativeIndexSource.SourceName, Soci, StreamedIndexSource.SourceName];

    private static readonly string[] _known =
        [NativeIndexSource.SourceName, Soci, SociIndexSource.NameOf(
            version: 2), SociIndexSource.NameOf(version: 1), StreamedIndexSource.SourceName];

    /// <summary>What is wrong with a list of names; null if nothing is.</summary>
    public static string? WhyNot(IReadOnlyList<string> names) =>
        names.FirstOrDefault(name => !_known.Contains(name)) is { } unknown
            ? $"\"{unknown}\" is not one of {string.Join(", ", _known)}"
            : null;
}
