using System.Text.RegularExpressions;

namespace LazySnapshotter.Oci;

// An image reference as containerd and docker write it: [host[:port]/]repository[:tag][@digest] (distribution's
// reference grammar). Familiar names are completed the way docker does: "python" is docker.io/library/python:latest.
public sealed partial record ImageReference
{
    private const int RepositoryLengthMax = 255;

    /// <summary>Host with optional port, for example <c>registry.example:5000</c>.</summary>
    public required string Registry { get; init; }

    /// <summary>Path below the host, for example <c>library/python</c>.</summary>
    public required string Repository { get; init; }

    public string? Tag { get; init; }

    public Digest? Digest { get; init; }

    /// <summary>What a registry is asked for: the digest where there is one, the tag otherwise.</summary>
    public string TagOrDigest => Digest?.ToString() ?? Tag ?? "latest";

    /// <exception cref="FormatException">The text is not a reference; the message says why.</exception>
    public static ImageReference Parse(string text)
    {
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
        if (!RegistryGrammar().IsMatch(registry))
            throw new FormatException($"image reference \"{text}\": \"{registry}\" is not a host name");

        return new ImageReference { Registry = registry, Repository = repository, Tag = tag ?? (digest is null ? "latest" : null), Digest = digest };
    }

    public static bool TryParse(string text, out ImageReference? reference)
    {
        try
        {
            reference = Parse(text);
            return true;
        }
        catch (FormatException)
        {
            reference = null;
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

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z")]
    private static partial Regex TagGrammar();

    [GeneratedRegex(@"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex RepositoryGrammar();

    [GeneratedRegex(@"^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?\z")]
    private static partial Regex RegistryGrammar();
}
