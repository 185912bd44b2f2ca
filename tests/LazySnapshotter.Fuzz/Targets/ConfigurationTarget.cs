using LazySnapshotter.Node.Options;

namespace LazySnapshotter.Fuzz.Targets;

// The daemon's configuration. What is taken can be started with, as far as the file says.
internal sealed class ConfigurationTarget : FuzzTarget
{
    public override string Name => "configuration";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        """
        {
          // a comment
          "address": "/run/x.sock", "root": "/var/lib/x", "containerd": "/run/c.sock",
          "registry": { "plainHttp": ["a:5000"], "dockerConfig": null, "memory": "", "privateRedirects": ["*"],
            "requests": { "connectTimeout": 1.5, "retryLimit": 3, "concurrency": 4, "hedgeFloor": 0 } },
          "metrics": { "listen": "127.0.0.1:9469" },
        }
        """,
        """{"index":{"sources":["native","soci"]}}""", "{}");

    public override IReadOnlyList<string> Words { get; } =
        ["\"registry\":{", "\"cache\":{", "\"index\":{", "\"metrics\":{", "\"listen\":", "\"sources\":[", "\"requests\":{", "/*", "//",
            "\\u0000", "\\ud800", "1e400", "null", "[::]:1"];

    public override int LengthMax => 4096;

    public override long AllocationMax => 16L << 20;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        using var file = new ScratchFile(".json");
        File.WriteAllBytes(file.Path, input);
        var options = DaemonOptions.Read(file.Path);
        _ = (options.Registry.Requests.ToFetcherOptions(), options.Registry.Requests.ApplyTo(new()));
    }
}
