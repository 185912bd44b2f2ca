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

    /// <param name="texts">Each <c>os/architecture[/variant]</c>, in Go's names.</param>
    /// <exception cref="FormatException">One of them is no platform; the message says which.</exception>
    public static PlatformSelection Parse(IReadOnlyList<string> texts) => new([.. texts.Select(ParsePlatform).Distinct()], isExplicit: true, isAll: false);

    private static Platform ParsePlatform(string text)
    {
        var parts = text.Split('/');
        if (parts.Length is < 2 or > 3 || parts.Any(part => part.Length == 0 || part.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-'))))
            throw new FormatException($"\"{text}\" is not a platform; os/architecture or os/architecture/variant is, for example linux/arm64");

        // As uname(1) and others call them; containerd's platforms package takes these too.
        var architecture = parts[1].ToLowerInvariant() switch
        {
            "x86_64" or "x86-64" => "amd64",
            "aarch64" => "arm64",
            "i386" or "i686" => "386",
            var other => other,
        };
        return new Platform { Os = parts[0].ToLowerInvariant(), Architecture = architecture, Variant = parts.Length == 3 ? parts[2] : null };
    }
}
