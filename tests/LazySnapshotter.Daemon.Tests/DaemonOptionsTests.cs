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

    [Fact]
    public void Waits_and_numbers_of_requests_reach_the_client_and_the_rest_stays_its_own()
    {
        File.WriteAllText(_path, """
            { "registry": { "requests": { "readDeadline": 7, "rangeDeadline": 12.5, "retryDelayMax": 3, "retryLimit": 2, "concurrency": 3,
            "hedgeFloor": 0, "decisionBudget": 1.5 } } }
            """);
        var section = DaemonOptions.Read(_path).Registry;
        var options = section.ToClientOptions();
        var defaults = new Registry.RegistryOptions();

        Assert.Equal(TimeSpan.FromSeconds(7), section.Requests.ToFetcherOptions().Deadline);
        Assert.Equal((TimeSpan.FromSeconds(12.5), TimeSpan.FromSeconds(3), defaults.RetryDelay), (options.RangeDeadline, options.RetryDelayMax, options.RetryDelay));
        Assert.Equal((2, 3), (options.RetryLimit, options.ConcurrencyStart));
        Assert.Equal(Timeout.InfiniteTimeSpan, options.HedgeFloor);
        Assert.Equal((TimeSpan.FromSeconds(1.5), defaults.DecisionMemory), (options.DecisionBudget, options.DecisionMemory));
        Assert.Equal(
            (defaults.ConnectTimeout, defaults.ResponseTimeout, defaults.StallTimeout, defaults.DocumentDeadline, defaults.ConcurrencyMax),
            (options.ConnectTimeout, options.ResponseTimeout, options.StallTimeout, options.DocumentDeadline, options.ConcurrencyMax));
    }

    [Theory]
    [InlineData("{ \"rooot\": \"/x\" }", "rooot")]
    [InlineData("{ \"root\": 7 }", "root")]
    [InlineData("{ \"index\": { \"sources\": [\"native\", \"stargz\"] } }", "stargz")]
    [InlineData("{ \"registry\": { \"requests\": { \"rangeDeadline\": 0 } } }", "registry.requests.rangeDeadline")]
    [InlineData("{ \"registry\": { \"requests\": { \"stallTimeout\": 1e9 } } }", "registry.requests.stallTimeout")]
    [InlineData("{ \"registry\": { \"requests\": { \"retryLimit\": -1 } } }", "registry.requests.retryLimit")]
    [InlineData("{ \"registry\": { \"requests\": { \"retryDelay\": 40 } } }", "registry.requests.retryDelay")]
    [InlineData("{ \"registry\": { \"requests\": { \"readDeadline\": 0 } } }", "registry.requests.readDeadline")]
    [InlineData("{ \"registry\": { \"requests\": { \"concurrency\": 9, \"concurrencyMax\": 8 } } }", "registry.requests.concurrency")]
    [InlineData("{ \"registry\": { \"requests\": { \"hedgeFloor\": -1 } } }", "registry.requests.hedgeFloor")]
    [InlineData("{ \"registry\": { \"requests\": { \"decisionBudget\": 0 } } }", "registry.requests.decisionBudget")]
    [InlineData("{ \"registry\": { \"requests\": { \"decisionMemory\": 1e9 } } }", "registry.requests.decisionMemory")]
    [InlineData("{ \"registry\": { \"requests\": { \"decisionDeadline\": -1 } } }", "registry.requests.decisionDeadline")]
    [InlineData("{ \"root\": ", "LineNumber")]
    public void A_mistake_is_refused_by_file_and_key(string text, string named)
    {
        File.WriteAllText(_path, text);
        var refusal = Assert.Throws<InvalidDataException>(() => DaemonOptions.Read(_path));
        Assert.Contains(_path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }
}
