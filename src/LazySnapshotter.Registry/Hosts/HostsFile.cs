using System.Globalization;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Hosts;

// What containerd's hosts.toml says about one registry (containerd docs/hosts.md): the hosts to ask in the order of the
// file, then the registry itself, or what stands for it as "server". Anything in it that is not as it should be makes the whole
// file unusable, so that nobody is contacted with half of what was meant. A key nobody knows is only reported: containerd
// does not mind it, and newer versions of it may know more.
internal sealed class HostsFile
{
    private static readonly string[] HostKeys = ["capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout"];

    // They belong to the request and to nobody's taste.
    private static readonly string[] ReservedHeaders =
        ["Host", "Range", "Connection", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "If-Match", "If-None-Match"];

    private readonly string _registry;
    private readonly string _directory;
    private readonly RegistryOptions _options;

    private HostsFile(string registry, string directory, RegistryOptions options)
    {
        _registry = registry;
        _directory = directory;
        _options = options;
    }

    /// <summary>In the order in which they are asked; the last is no mirror.</summary>
    public List<EndpointSettings> Endpoints { get; } = [];

    /// <summary>Certificates and keys that the file names.</summary>
    public List<string> FilesRead { get; } = [];

    /// <summary>What is odd about the file, but usable.</summary>
    public List<string> Oddities { get; } = [];

    /// <param name="directory">Where the file is; paths in it are relative to it.</param>
    /// <exception cref="HostsFileException">It is not TOML, or does not say what it should.</exception>
    public static HostsFile Read(ReadOnlySpan<byte> content, string registry, string directory, RegistryOptions options)
    {
        var file = new HostsFile(registry, directory, options);
        file.ReadDocument((TomlTable)TomlDocument.Read(content).Value!);
        return file;
    }

    private void ReadDocument(TomlTable document)
    {
        ReportUnknown(document, [.. HostKeys, "server", "host"]);
        if (document.TryGetValue("host", out var hosts))
        {
            var table = As<TomlTable>(hosts, "host", "a table for each host");
            if (table.Count > RegistryLimits.EndpointsMax)
                throw hosts.Error($"more than {RegistryLimits.EndpointsMax} hosts");
            foreach (var (url, value) in table)
            {
                var host = As<TomlTable>(value, $"host.\"{url}\"", "a table");
                ReportUnknown(host, HostKeys);
                var settings = ReadHost(host, ParseUrl(url, value.KeyError));
                // The registry itself may be listed as a host; then its word is final.
                Endpoints.Add(settings with { IsMirror = settings.Namespace is not null });
            }
        }

        Endpoints.Add(document.TryGetValue("server", out var server) && As<string>(server, "server", "a URL") is { Length: > 0 } text
            ? ReadHost(document, ParseUrl(text, server.Error))
            : ReadUpstream(document));
    }

    // Without "server" the root's settings are about the registry itself; which it can do is not in doubt (as containerd sees it).
    private EndpointSettings ReadUpstream(TomlTable document)
    {
        if (document.TryGetValue("capabilities", out var capabilities))
        {
            ReadCapabilities(capabilities);
            Oddities.Add($"line {capabilities.Line}: capabilities without server have no effect");
        }

        return EndpointSettings.Upstream(
            _registry, _options, HasTlsSettings(document)) with { Connection = ReadConnection(document), Headers = ReadHeaders(document) };
    }

    private EndpointSettings ReadHost(TomlTable table, Uri url)
    {
        var overridesPath = table.TryGetValue("override_path", out var value) && As<bool>(value, "override_path", "true or false");
        var path = url.AbsolutePath.TrimEnd('/');
        if (!overridesPath && !path.EndsWith("/v2", StringComparison.Ordinal))
            path += "/v2";
        // http:// with settings that make sense for https alone means: https if it speaks that, else plain http (containerd's
        // HTTPFallback). Not on port 80, which is plain http's own.
        var isEither = url is { Scheme: "http", Port: not 80 } && HasTlsSettings(table);
        if (isEither)
            url = new UriBuilder(url) { Scheme = Uri.UriSchemeHttps }.Uri;
        return EndpointSettings.Configured(_registry, url) with
        {
            SchemeIsGuess = isEither && !url.IsDefaultPort,
            PlainHttpIsMeant = isEither,
            ApiPath = path,
            Capabilities = table.TryGetValue("capabilities", out var capabilities)
                ? ReadCapabilities(capabilities)
                : EndpointCapabilities.All,
            Connection = ReadConnection(table),
            Headers = ReadHeaders(table),
        };
    }

    private static bool HasTlsSettings(TomlTable table) =>
        table.ContainsKey("ca") || table.ContainsKey("client") || table.ContainsKey("skip_verify");

    private static Uri ParseUrl(string text, Func<string, HostsFileException> error)
    {
        var url = text.Contains("://", StringComparison.Ordinal) ? text : "https://" + text;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw error($"\"{text}\" is no URL of a host");
        if (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp)
            throw error($"{uri.Scheme}:// is neither https nor http");
        if (uri.UserInfo.Length > 0)
            throw error($"a name and password do not belong into the URL of {uri.Authority}, but into docker's config.json");
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw error($"\"{text}\" has a query or a fragment");
        return uri;
    }

    private static EndpointCapabilities ReadCapabilities(TomlNode value)
    {
        var all = EndpointCapabilities.None;
        var array = As<TomlArray>(value, "capabilities", "a list");
        foreach (var item in array)
        {
            var name = As<string>(item, "a capability", "a string");
            all |= name.ToLowerInvariant() switch
            {
                "pull" => EndpointCapabilities.Pull,
                "resolve" => EndpointCapabilities.Resolve,
                "push" => EndpointCapabilities.Push,
                "referrers" => EndpointCapabilities.Referrers,
                _ => throw item.Error($"the capability \"{name}\" is none of pull, resolve, push, referrers"),
            };
        }

        return array.Count > 0 ? all : EndpointCapabilities.All;
    }

    private ConnectionSettings ReadConnection(TomlTable table)
    {
        var files = new CertificateFiles();
        if (table.TryGetValue("ca", out var ca))
        {
            foreach (var path in ca.Value as TomlArray ?? [ca])
                Load(path, () => files.AddAuthorities(PathOf(path, "ca")));
        }

        if (table.TryGetValue("client", out var client))
        {
            foreach (var item in client.Value as TomlArray ?? [client])
                Load(item, () => AddClient(files, item));
        }

        FilesRead.AddRange(files.Paths);
        var skipVerify = table.TryGetValue("skip_verify", out var skip) && As<bool>(skip, "skip_verify", "true or false");
        return files.ToSettings(skipVerify, ReadTimeout(table));
    }

    // A path, or a pair of paths of which the second may be empty. A pair that stands alone is two files with a key each, as
    // containerd's documentation has it.
    private void AddClient(CertificateFiles files, TomlNode item)
    {
        if (item.Value is not TomlArray pair)
        {
            files.AddClient(PathOf(item, "client"), null);
            return;
        }

        if (pair.Count != 2)
            throw item.Error("a pair of certificate and key was expected");
        var key = As<string>(pair[1], "client", "a path");
        files.AddClient(PathOf(pair[0], "client"), key.Length == 0 ? null : PathOf(pair[1], "client"));
    }

    private static void Load(TomlNode place, Action load)
    {
        try
        {
            load();
        }
        catch (InvalidDataException e)
        {
            throw place.Error(e.Message);
        }
    }

    private string PathOf(TomlNode value, string what)
    {
        var text = As<string>(value, what, "a path, or a list of them");
        return text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal)
            ? Path.Combine(_directory, text)
            : throw value.Error($"{what}: the path is empty");
    }

    private static TimeSpan? ReadTimeout(TomlTable table)
    {
        if (!table.TryGetValue("dial_timeout", out var value))
            return null;
        var text = As<string>(value, "dial_timeout", "a string such as \"1s\"");
        if (text.Length == 0)
            return null;
        if (!GoDuration.TryParse(text, out var timeout))
            throw value.Error($"\"{text}\" is no length of time such as \"1s\" or \"500ms\"");
        return timeout == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : timeout;
    }

    private static List<KeyValuePair<string, IReadOnlyList<string>>> ReadHeaders(TomlTable table)
    {
        var headers = new List<KeyValuePair<string, IReadOnlyList<string>>>();
        if (!table.TryGetValue("header", out var value))
            return headers;
        foreach (var (name, content) in As<TomlTable>(value, "header", "a table"))
        {
            if (name.Length == 0 || !name.All(HttpToken.IsCharacter))
                throw content.KeyError($"\"{name}\" is no name of a header");
            if (ReservedHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))
                throw content.KeyError($"the header {name} cannot be set here");
            headers.Add(new(name, [.. (content.Value as TomlArray ?? [content]).Select(item => HeaderValueOf(item, name))]));
        }

        return headers;
    }

    // The value may be a secret: no error repeats it.
    private static string HeaderValueOf(TomlNode item, string name)
    {
        var value = As<string>(item, $"header {name}", "a string, or a list of them");
        return value.All(c => c is '\t' or (>= ' ' and <= '~'))
            ? value
            : throw item.Error($"header {name}: its value cannot be sent in a header");
    }

    private void ReportUnknown(TomlTable table, string[] known)
    {
        foreach (var (name, value) in table)
        {
            if (!known.Contains(name))
                Oddities.Add(string.Create(CultureInfo.InvariantCulture, $"line {value.KeyLine}: nothing is known of \"{name}\""));
        }
    }

    private static T As<T>(TomlNode node, string name, string wanted) =>
        node.Value is T value ? value : throw node.Error($"{name}: {wanted} was expected, not {node.Kind}");
}
