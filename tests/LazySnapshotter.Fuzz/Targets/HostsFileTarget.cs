using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Fuzz.Targets;

// hosts.toml: TOML itself (Tomlyn, whose parser is instrumented as well) and what a file says of a registry. One that is taken
// names endpoints that can be connected to.
internal sealed class HostsFileTarget : FuzzTarget
{
    private static readonly RegistryOptions _options = new();

    public override string Name => "hosts-file";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        """
        server = "https://registry.example"
        [host."https://mirror.example:5000"]
          capabilities = ["pull", "resolve"]
          skip_verify = true
          override_path = true
          dial_timeout = "1m30.5s"
        [host."https://mirror.example:5000".header]
          x-custom = ["a", 'b']
          y = "z"
        [host."http://10.0.0.1/v2/team"]
          capabilities = ["pull", "referrers", "push"]
        """,
        """
        # a comment
        capabilities = [ 'pull' ]
        "dial_timeout" = '''5s'''
        host.mirror.capabilities = []
        number = 1_000 # nobody asks
        date = 2020-01-01T00:00:00Z
        real = 1e5
        [[list]]
        x = { y = "\u00e9\n", z = [ 1, [ 2 ] ] }
        """,
        "");

    public override IReadOnlyList<string> Words { get; } =
        ["capabilities", "server", "host", "header", "skip_verify", "override_path", "dial_timeout", "ca", "client", "\"\"\"", "'''", "[[",
            "http://", "\\u", "= true", "= {"];

    public override int LengthMax => 4096;

    public override bool IsRefusal(Exception exception) => exception is HostsFileException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var file = HostsFile.Read(input, "registry.example:5000", "/nonexistent", _options);
        if (file.Endpoints.Count == 0 || file.Endpoints[^1].IsMirror)
            throw new InvalidOperationException("no endpoint, or a mirror last");
        foreach (var endpoint in file.Endpoints)
        {
            _ = endpoint.Fingerprint;
            if (endpoint.Origin.Scheme is not ("http" or "https") || endpoint.ApiPath.EndsWith('/')
                || endpoint.Connection.ConnectTimeout < Timeout.InfiniteTimeSpan)
                throw new InvalidOperationException($"{endpoint} is no endpoint");
            _ = new UriBuilder(endpoint.Origin) { Path = endpoint.ApiPath + "/library/x/manifests/latest" }.Uri;
        }
    }
}
