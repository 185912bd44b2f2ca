using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Sources;

// Which images of an index are wanted: this machine's, those of some platforms, or all. Only platforms that somebody
// named are insisted on: an image that is there for one platform alone is what its user means, whatever this machine is.
public sealed record PlatformSelection
{
    private PlatformSelection(IReadOnlyList<Platform> platforms, bool isExplicit, bool isAll)
    {
        Platforms = platforms;
        IsExplicit = isExplicit;
        IsAll = isAll;
    }

    public static PlatformSelection Machine { get; } = new([Platform.Current], isExplicit: false, isAll: false);

    public static PlatformSelection All { get; } = new([], isExplicit: false, isAll: true);

    public IReadOnlyList<Platform> Platforms { get; }

    public bool IsExplicit { get; }

    public bool IsAll { get; }

    /// <param name="texts">Each as <see cref="Platform.Parse"/> takes it.</param>
    /// <exception cref="FormatException">One of them is no platform; the message says which.</exception>
    public static PlatformSelection Parse(IReadOnlyList<string> texts) =>
        new([.. texts.Select(Platform.Parse).Distinct()], isExplicit: true, isAll: false);
}
