using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Auth;

// The part of docker's config.json that holds credentials or says which program does.
internal sealed record DockerConfigFile(
    [property: JsonPropertyName("auths")] IReadOnlyDictionary<string, DockerConfigFile.Entry?>? Auths,
    [property: JsonPropertyName("credHelpers")] IReadOnlyDictionary<string, string?>? CredHelpers,
    [property: JsonPropertyName("credsStore")] string? CredsStore)
{
    /// <exception cref="InvalidDataException">Not such a file; the message quotes nothing from it.</exception>
    public static DockerConfigFile Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, DockerConfigJsonContext.Default.DockerConfigFile)
                ?? throw new InvalidDataException("the document is null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"not valid JSON in line {e.LineNumber + 1}");
        }
    }

    /// <summary>The helper for a host: its own before the general one.</summary>
    public string? HelperFor(IReadOnlyList<string> hostNames)
    {
        foreach (var (key, helper) in CredHelpers ?? new Dictionary<string, string?>())
        {
            if (!string.IsNullOrEmpty(helper) && hostNames.Contains(HostOf(key), StringComparer.OrdinalIgnoreCase))
                return helper;
        }

        return string.IsNullOrEmpty(CredsStore) ? null : CredsStore;
    }

    /// <summary>
    /// The entry for a repository, the most specific first: <c>host/team/image</c>, <c>host/team</c> (podman's way), and
    /// last that of the whole host, by its plain name or in docker's older form <c>https://host/v1/</c>.
    /// </summary>
    /// <exception cref="InvalidDataException">The entry is there but unreadable.</exception>
    public Credentials? EntryFor(IReadOnlyList<string> hostNames, string? repository)
    {
        for (var path = repository ?? ""; path.Length > 0; path = path[..Math.Max(0, path.LastIndexOf('/'))])
        {
            foreach (var name in hostNames)
            {
                if (NamespaceEntry($"{name}/{path}") is { } credentials)
                    return credentials;
            }
        }

        foreach (var name in hostNames)
        {
            foreach (var (key, entry) in Auths ?? new Dictionary<string, Entry?>())
            {
                if (entry is not null
                    && name.Equals(HostOf(key), StringComparison.OrdinalIgnoreCase) && ToCredentials(key, entry) is { } credentials)
                    return credentials;
            }
        }

        return null;
    }

    private Credentials? NamespaceEntry(string name)
    {
        foreach (var (key, entry) in Auths ?? new Dictionary<string, Entry?>())
        {
            if (entry is not null && name.Equals(key.TrimEnd('/'), StringComparison.OrdinalIgnoreCase) && HostOf(key) is null
                && ToCredentials(key, entry) is { } credentials)
            {
                return credentials;
            }
        }

        return null;
    }

    // "https://index.docker.io/v1/" -> "index.docker.io". A bare "host/path" limits credentials to some repositories; it
    // stands for no host, so nobody gets them by mistake.
    private static string? HostOf(string key)
    {
        var scheme = key.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? key : key[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return rest;
        return scheme >= 0 || rest[slash..].TrimEnd('/') is "" or "/v1" or "/v2" ? rest[..slash] : null;
    }

    private static Credentials? ToCredentials(string key, Entry entry)
    {
        var (username, password) = (entry.Username ?? "", entry.Password ?? "");
        if (!string.IsNullOrEmpty(entry.Auth))
            (username, password) = DecodeAuth(key, entry.Auth);
        var identityToken = string.IsNullOrEmpty(entry.IdentityToken) ? null : entry.IdentityToken;
        return username.Length == 0 && identityToken is null ? null : new Credentials(username, password, identityToken);
    }

    private static (string Username, string Password) DecodeAuth(string key, string auth)
    {
        var bytes = new byte[auth.Length];
        if (!Convert.TryFromBase64String(auth, bytes, out var length))
            throw new InvalidDataException($"auths[\"{key}\"].auth is not base64");
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
            throw new InvalidDataException($"auths[\"{key}\"].auth is not a name and a password");
        return (text[..colon], text[(colon + 1)..].TrimEnd('\0'));
    }

    internal sealed record Entry(
        [property: JsonPropertyName("auth")] string? Auth,
        [property: JsonPropertyName("username")] string? Username,
        [property: JsonPropertyName("password")] string? Password,
        [property: JsonPropertyName("identitytoken")] string? IdentityToken)
    {
        public override string ToString() => "login";
    }
}

internal sealed record HelperAnswer(
    [property: JsonPropertyName("Username")] string? Username,
    [property: JsonPropertyName("Secret")] string? Secret)
{
    public override string ToString() => "login";
}

[JsonSerializable(typeof(DockerConfigFile))]
[JsonSerializable(typeof(HelperAnswer))]
internal sealed partial class DockerConfigJsonContext : JsonSerializerContext;
