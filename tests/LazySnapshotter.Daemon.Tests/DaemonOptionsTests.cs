namespace LazySnapshotter.Daemon.Tests;

public sealed class DaemonOptionsTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_file_changes_what_it_names_and_leaves_the_rest()
    {
        File.WriteAllText(_path, """
            {
              // Comments and trailing commas are welcome.
              "root": "/srv/lazysnap",
              "registry": { "plainHttp": ["registry.lan:5000"] },
              "index": { "sources": ["native", "soci-v2"] },
            }
            """);
        var options = DaemonOptions.Read(_path);

        Assert.Equal("/srv/lazysnap", options.Root);
        Assert.Equal(DaemonOptions.DefaultAddress, options.Address);
        Assert.Equal(["native", "soci-v2"], options.Index.Sources);
        Assert.Equal(3, options.Index.Concurrency);
        Assert.True(options.Registry.ToClientOptions().PlainHttp("registry.lan:5000"));
        Assert.False(options.Registry.ToClientOptions().PlainHttp("registry.example"));
        Assert.Equal("/etc/containerd/certs.d", options.Registry.ToClientOptions().HostsDirectory);
    }

    [Theory]
    [InlineData("{ \"rooot\": \"/x\" }", "rooot")]
    [InlineData("{ \"root\": 7 }", "root")]
    [InlineData("{ \"index\": { \"sources\": [\"native\", \"stargz\"] } }", "stargz")]
    [InlineData("{ \"root\": ", "LineNumber")]
    public void A_mistake_is_refused_by_file_and_key(string text, string named)
    {
        File.WriteAllText(_path, text);
        var refusal = Assert.Throws<InvalidDataException>(() => DaemonOptions.Read(_path));
        Assert.Contains(_path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }
}
