using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Sources;

/// <summary>What kind of place an image lies in.</summary>
public enum ImageSourceKind
{
    Registry,
    OciLayout,
    OciArchive,
    DockerArchive,
    Containerd,
}

// An image source as people write it, in the words skopeo and podman use: `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]` (both
// also with @DIGEST), `docker-archive:FILE[:REF]`, `containerd:REF`; anything else is a reference in a registry.
public sealed record ImageSourceName
{
    private ImageSourceName(string text, ImageSourceKind kind)
    {
        Text = text;
        Kind = kind;
    }

    public string Text { get; }

    public ImageSourceKind Kind { get; }

    /// <summary>Directory or file.</summary>
    public string? Path { get; private init; }

    /// <summary>The image's name there: a layout's tag, a reference, or null where none was given.</summary>
    public string? Reference { get; private init; }

    public Digest? Digest { get; private init; }

    /// <exception cref="FormatException">The text names no source; the message says why.</exception>
    public static ImageSourceName Parse(string text)
    {
        if (Strip(text, "docker-archive:") is { } archive)
        {
            // A reference may have colons of its own, a file name seldom has one: the shortest name that is a file wins.
            for (var colon = archive.IndexOf(':', StringComparison.Ordinal); colon > 0; colon = archive.IndexOf(':', colon + 1))
            {
                if (File.Exists(archive[..colon]))
                    return new ImageSourceName(text, ImageSourceKind.DockerArchive) { Path = NotEmpty(
                        archive[..colon], text), Reference = NotEmpty(archive[(colon + 1)..], text) };
            }

            return new ImageSourceName(text, ImageSourceKind.DockerArchive) { Path = NotEmpty(archive, text) };
        }

        if (Strip(text, "oci:") is { } layout)
            return Layout(text, ImageSourceKind.OciLayout, layout);
        if (Strip(text, "oci-archive:") is { } layoutArchive)
            return Layout(text, ImageSourceKind.OciArchive, layoutArchive);
        if (Strip(text, "containerd:") is { } image)
            return new ImageSourceName(text, ImageSourceKind.Containerd) { Reference = NotEmpty(image, text) };
        return new ImageSourceName(
            text, ImageSourceKind.Registry) { Reference = ImageReference.Parse(Strip(text, "docker://") ?? text).ToString() };
    }

    private static ImageSourceName Layout(string text, ImageSourceKind kind, string rest)
    {
        var at = rest.LastIndexOf('@');
        if (at >= 0 && Oci.Digest.TryParse(rest[(at + 1)..], out var digest))
            return new ImageSourceName(text, kind) { Path = NotEmpty(rest[..at], text), Digest = digest };

        // A path may have colons; a tag has no slash, and what exists as a whole is a path.
        var colon = rest.LastIndexOf(':');
        return colon <= rest.LastIndexOf('/') || System.IO.Path.Exists(rest)
            ? new ImageSourceName(text, kind) { Path = NotEmpty(rest, text) }
            : new ImageSourceName(text, kind) { Path = NotEmpty(rest[..colon], text), Reference = NotEmpty(rest[(colon + 1)..], text) };
    }

    private static string? Strip(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;

    private static string NotEmpty(string part, string text) =>
        part.Length > 0 ? part : throw new FormatException($"image source \"{text}\" is incomplete");
}
