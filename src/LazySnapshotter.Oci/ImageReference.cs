using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace LazySnapshotter.Oci;

// An image reference as containerd and docker write it: [host[:port]/]repository[:tag][@digest] (distribution's
// reference grammar). Familiar names are completed the way docker does: "python" is docker.io/library/python:latest.
public sealed partial record ImageReference
{
    private const int RepositoryLengthMax = 255;
    private const int Sha256HexLength = 64;
    private const int RegistryLengthMax = 261; // A DNS name of 255 characters, a colon and a port.

    /// <summary>Host with optional port, for example <c>registry.example:5000</c>.</summary>
    public required string Registry { get; init; }

    /// <summary>Registry and repository, without tag or digest.</summary>
    public string Name => Registry + "/" + Repository;

    /// <summary>Path below the host, for example <c>library/python</c>.</summary>
    public required string Repository { get; init; }

    public string? Tag { get; init; }

    public Digest? Digest { get; init; }

    /// <summary>What a registry is asked for: the digest where there is one, the tag otherwise.</summary>
    public string TagOrDigest => Digest?.ToString() ?? Tag ?? "latest";

    /// <exception cref="FormatException">The text is not a reference; the message says why.</exception>
    public static ImageReference Parse(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
            throw new FormatException($"image reference \"{text}\": a reference has no scheme");
        var rest = text;
        Digest? digest = null;
        var at = rest.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            digest = Oci.Digest.TryParse(rest[(at + 1)..], out var parsed)
                ? parsed
                : throw new FormatException($"image reference \"{text}\": \"{rest[(at + 1)..]}\" is not a digest");
            rest = rest[..at];
        }

        string? tag = null;
        var colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/'))
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
            if (!TagGrammar().IsMatch(tag))
                throw new FormatException($"image reference \"{text}\": \"{tag}\" is not a tag");
        }

        var (registry, repository) = SplitRegistry(rest);
        if (repository.Length > RepositoryLengthMax || !RepositoryGrammar().IsMatch(repository))
            throw new FormatException($"image reference \"{text}\": \"{repository}\" is not a repository name");
        if (text.Length == Sha256HexLength && Oci.Digest.TryParse(Oci.Digest.Sha256Algorithm + ":" + text, out _))
            throw new FormatException($"image reference \"{text}\": 64 hexadecimal digits are an image's ID, not its name");
        if (!IsRegistry(registry))
            throw new FormatException($"image reference \"{text}\": \"{registry}\" is not a host name");

        return new ImageReference { Registry = registry, Repository = repository, Tag = tag
            ?? (digest is null ? "latest" : null), Digest = digest };
    }

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageReference? reference)
    {
        reference = null;
        if (text is null)
            return false;
        try
        {
            reference = Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public override string ToString() =>
        Registry + "/" + Repository + (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    // The first part is a host only if it looks like one: a dot, a port, "localhost", or capitals (docker's rule).
    private static (string Registry, string Repository) SplitRegistry(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        var isHost = first == "localhost" || first.AsSpan().ContainsAny('.', ':') || first.Any(char.IsAsciiLetterUpper);
        if (!isHost)
            return ("docker.io", slash < 0 ? "library/" + name : name);

        var repository = name[(slash + 1)..];
        if (first is "docker.io" or "index.docker.io")
            return ("docker.io", repository.Contains('/', StringComparison.Ordinal) ? repository : "library/" + repository);
        return (first, repository);
    }

    // What passes here makes a URL: the grammar knows neither the end of the port numbers nor what an IPv6 address is.
    private static bool IsRegistry(string registry)
    {
        if (registry.Length > RegistryLengthMax || !RegistryGrammar().IsMatch(registry))
            return false;
        var bracket = registry.IndexOf(']', StringComparison.Ordinal);
        if (bracket >= 0 && !IPAddress.TryParse(registry.AsSpan(1, bracket - 1), out _))
            return false;
        var colon = registry.LastIndexOf(':');
        return colon <= bracket || ushort.TryParse(registry.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z")]
    private static partial Regex TagGrammar();

    [GeneratedRegex(@"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex RepositoryGrammar();

    // A name of labels, or an IPv6 address in brackets; a port.
    [GeneratedRegex(
        @"^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])"
        + @"(?::[0-9]{1,5})?\z")]
    private static partial Regex RegistryGrammar();
}
