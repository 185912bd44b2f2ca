using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using LazySnapshotter.Linux;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Node.Options;

// What the daemon can be told, by file and by command line. Every value has a default that works on a stock
// Debian or Ubuntu node; docs/CONFIGURATION.md explains each. Properties have setters because the JSON source generator
// would overwrite the defaults of init-only ones with null where the file is silent.
public sealed record DaemonOptions
{
    public const string DefaultAddress = "/run/lazysnap/lazysnap.sock";
    public const string DefaultRoot = "/var/lib/lazysnap";
    public const string DefaultHostsDirectory = "/etc/containerd/certs.d";
    public const string DefaultContainerd = "/run/containerd/containerd.sock";

    /// <summary>The Unix socket containerd connects to.</summary>
    public string Address { get; set; } = DefaultAddress;

    /// <summary>Where snapshots, indexes and fetched bytes are kept.</summary>
    public string Root { get; set; } = DefaultRoot;

    /// <summary>containerd's own socket.</summary>
    public string Containerd { get; set; } = DefaultContainerd;

    public RegistrySection Registry { get; set; } = new();

    public CacheSection Cache { get; set; } = new();

    public IndexSection Index { get; set; } = new();

    public MetricsSection Metrics { get; set; } = new();

    public sealed record RegistrySection
    {
        /// <summary>Registries (host or host:port) spoken to in plain http. Loopback hosts are in any case.</summary>
        public IReadOnlyList<string> PlainHttp { get; set; } = [];

        /// <summary>
        /// The only file in which logins are looked for; null for $REGISTRY_AUTH_FILE, docker's config.json and podman's auth.json, in
        /// this order.
        /// </summary>
        public string? DockerConfig { get; set; }

        /// <summary>Waits, repetitions and how many requests there are at once.</summary>
        public RequestSection Requests { get; set; } = new();

        /// <summary>Where containerd's hosts.toml files are; several directories are separated by colons, and none is "".</summary>
        public string HostsDirectory { get; set; } = DefaultHostsDirectory;

        /// <summary>
        /// A folder for what registries said (tokens and signed URLs among it), so that a restart need not ask again. Null for
        /// "registry" in the root, empty for none.
        /// </summary>
        public string? Memory { get; set; }

        /// <summary>
        /// Hosts (host or host:port) to which a public registry may lead although they are at private addresses; "*" for any.
        /// </summary>
        public IReadOnlyList<string> PrivateRedirects { get; set; } = [];

        /// <param name="root">Of the node whose memory is used; null for a client that remembers nothing over its end.</param>
        public RegistryOptions ToClientOptions(string? root) =>
            ToClientOptions() with { MemoryPath = root is null || Memory?.Length == 0 ? null : Memory ?? Path.Combine(root, "registry") };

        public RegistryOptions ToClientOptions() => Requests.ApplyTo(new()
        {
            PlainHttp = RegistryOptions.PlainHttpOn(PlainHttp),
            DockerConfigPath = DockerConfig,
            HostsDirectory = HostsDirectory,
            MayLeadTo = RegistryOptions.LeadingTo(PrivateRedirects),
        });
    }

    public sealed record CacheSection
    {
        private const int MiBMax = 1 << 20;

        /// <summary>Memory for inflated spans, shared by all layers.</summary>
        [Limits(0, MiBMax)]
        public int MemoryMiB { get; set; } = 64;
    }

    public sealed record IndexSection
    {
        // Each layer has its registry's whole bandwidth to share and a processor to keep busy.
        private const int ConcurrencyLimit = 64;

        /// <summary>
        /// Where the index of a layer that has none on this node is looked for, in this order: native, soci (version 2,
        /// then 1), soci-v2, soci-v1, build. A layer none of them has an index for is unpacked by containerd.
        /// </summary>
        public IReadOnlyList<string> Sources { get; set; } = IndexSourceNames.Default;

        /// <summary>How many layers are streamed and indexed at the same time.</summary>
        [Limits(1, ConcurrencyLimit)]
        public int Concurrency { get; set; } = 3;
    }

    public sealed record MetricsSection
    {
        /// <summary>IP address and port on which Prometheus may ask for the daemon's numbers; null for none.</summary>
        public string? Listen { get; set; }
    }

    /// <exception cref="InvalidDataException">Not a configuration; the message names file, place and key.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static DaemonOptions Read(string path)
    {
        var text = ConfigurationText.Read(path);
        text.Check(DaemonOptionsJson.Default.DaemonOptions);
        var options = JsonSerializer.Deserialize(text.Bytes, DaemonOptionsJson.Default.DaemonOptions)!;
        return options.WhyNot() is { } why ? throw new InvalidDataException($"{path}: {why}") : options;
    }

    /// <summary>What is wrong with the options taken together, by key; null if nothing is.</summary>
    public string? WhyNot()
    {
        // An empty path would be the current directory to some calls, and nonsense to others.
        foreach (var (key, path) in (ReadOnlySpan<(string, string)>)[("address", Address), ("root", Root), ("containerd", Containerd)])
        {
            if (path.Length == 0)
                return $"{key}: an empty string is no path";
        }

        foreach (var (key, path) in (ReadOnlySpan<(string, string)>)[("address", Address), ("containerd", Containerd)])
        {
            if (UnixSocketPath.WhyNot(path) is { } socket)
                return $"{key}: {socket}";
        }

        if (Metrics.Listen is { } listen && !(IPEndPoint.TryParse(listen, out var endPoint) && endPoint.Port > 0))
            return $"metrics.listen: \"{listen}\" is no IP address with a port, such as 127.0.0.1:9469";
        if (IndexSourceNames.WhyNot(Index.Sources) is { } source)
            return $"index.sources: {source}";
        return Registry.Requests.WhyNot() is { } request ? $"registry.requests.{request}" : null;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(DaemonOptions))]
internal sealed partial class DaemonOptionsJson : JsonSerializerContext;
