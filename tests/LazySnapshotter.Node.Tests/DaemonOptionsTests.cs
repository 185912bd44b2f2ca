using LazySnapshotter.Node.Options;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Node.Tests;

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
        var defaults = new RegistryOptions();

        Assert.Equal(TimeSpan.FromSeconds(7), section.Requests.ToFetcherOptions().Deadline);
        Assert.Equal((TimeSpan.FromSeconds(12.5), TimeSpan.FromSeconds(3), defaults.RetryDelay),
            (options.RangeDeadline, options.RetryDelayMax, options.RetryDelay));
        Assert.Equal((2, 3), (options.RetryLimit, options.ConcurrencyStart));
        Assert.Equal(Timeout.InfiniteTimeSpan, options.HedgeFloor);
        Assert.Equal((TimeSpan.FromSeconds(1.5), defaults.DecisionMemory), (options.DecisionBudget, options.DecisionMemory));
        Assert.Equal(
            (defaults.ConnectTimeout, defaults.ResponseTimeout, defaults.StallTimeout, defaults.DocumentDeadline, defaults.ConcurrencyMax),
            (options.ConnectTimeout, options.ResponseTimeout, options.StallTimeout, options.DocumentDeadline, options.ConcurrencyMax));
    }

    [Theory]
    [InlineData("{ \"rooot\": \"/x\" }", ":1:3: rooot: unknown key; known here are address, root")]
    [InlineData("{\n  \"registry\": { \"requests\": {\n \"foo\": 1 } } }", ":3:2: registry.requests.foo: unknown key")]
    [InlineData("{ \"Root\": \"/x\" }", "Root: unknown key")]
    [InlineData("{ \"root\": \"/x\", \"root\": \"/y\" }", "root: given twice")]
    [InlineData("{ \"metrics\": { \"listen\": \"localhost:80\" } }", "metrics.listen: \"localhost:80\" is no IP address with a port")]
    [InlineData("{ \"metrics\": { \"listen\": \"127.0.0.1\" } }", "metrics.listen: \"127.0.0.1\" is no IP address with a port")]
    [InlineData("{ \"root\": 7 }", "root: 7 is not a string")]
    [InlineData("{ \"root\": null }", "root: null is not a string")]
    [InlineData("{ \"root\": \"\\ud800\" }", ":1:11: root: \"\\ud800\" has half a character")]
    [InlineData("{ \"\\ud800\": 1 }", ":1:3: a key: ")]
    [InlineData("{ \"index\": { \"concurrency\": \"\\ud800\" } }", "index.concurrency: \"\\ud800\" is not a whole number")]
    [InlineData("{ \"root\": \"\" }", "root: an empty string is no path")]
    [InlineData("{ \"root\": \"/a\\u0000b\" }", "root: ")]
    [InlineData(
        "{ \"address\": \"/tmp/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012\" }",
        "at most 107")]
    [InlineData("{ \"registry\": [] }", "registry: [ … ] is not an object")]
    [InlineData("{ \"registry\": null }", "registry: null is not an object")]
    [InlineData("{ \"registry\": { \"plainHttp\": \"a\" } }", "registry.plainHttp: \"a\" is not a list of strings")]
    [InlineData("{ \"registry\": { \"plainHttp\": [ null ] } }", "registry.plainHttp: null is not a string")]
    [InlineData("{ \"index\": { \"sources\": [\"native\", \"stargz\"] } }", "stargz")]
    [InlineData("[]", ":1:1: a configuration is an object")]
    [InlineData("null", "a configuration is an object")]
    [InlineData("{ \"root\": ", ":1:11: ")]
    [InlineData("{} {}", ":1:4: ")]
    [InlineData("", "there is nothing in it")]
    [InlineData(" \n", "there is nothing in it")]
    // numbers
    [InlineData("{ \"index\": { \"concurrency\": 0 } }", "index.concurrency: 0 is not a whole number from 1 to 64")]
    [InlineData("{ \"index\": { \"concurrency\": -3 } }", "index.concurrency: -3 is not a whole number from 1 to 64")]
    [InlineData("{ \"index\": { \"concurrency\": 1.5 } }", "index.concurrency: 1.5 is not a whole number")]
    [InlineData("{ \"index\": { \"concurrency\": 99999999999 } }", "index.concurrency: 99999999999 is not a whole number from 1 to 64")]
    [InlineData("{ \"index\": { \"concurrency\": \"3\" } }", "index.concurrency: \"3\" is not a whole number from 1 to 64")]
    [InlineData("{ \"index\": { \"concurrency\": null } }", "index.concurrency: null is not a whole number")]
    [InlineData("{ \"cache\": { \"memoryMiB\": -1 } }", "cache.memoryMiB: -1 is not a whole number from 0 to 1048576")]
    [InlineData("{ \"cache\": { \"memoryMiB\": 2147483647 } }", "cache.memoryMiB: 2147483647 is not a whole number from 0 to 1048576")]
    [InlineData("{ \"cache\": { \"memoryMiB\": [1] } }", "cache.memoryMiB: [ … ] is not a whole number")]
    [InlineData("{ \"registry\": { \"requests\": { \"rangeDeadline\": 0 } } }",
        "registry.requests.rangeDeadline: 0 is not a number from 0.001 to 86400")]
    [InlineData("{ \"registry\": { \"requests\": { \"rangeDeadline\": 1e-9 } } }", "registry.requests.rangeDeadline: 1e-9 is not")]
    [InlineData("{ \"registry\": { \"requests\": { \"stallTimeout\": 1e9 } } }", "registry.requests.stallTimeout: 1e9 is not")]
    [InlineData("{ \"registry\": { \"requests\": { \"stallTimeout\": 1e999 } } }", "registry.requests.stallTimeout: 1e999 is not")]
    [InlineData("{ \"registry\": { \"requests\": { \"stallTimeout\": NaN } } }", ":1:47: ")]
    [InlineData(
        "{ \"registry\": { \"requests\": { \"stallTimeout\": \"NaN\" } } }", "registry.requests.stallTimeout: \"NaN\" is not a number")]
    [InlineData(
        "{ \"registry\": { \"requests\": { \"connectTimeout\": true } } }", "registry.requests.connectTimeout: true is not a number")]
    [InlineData("{ \"registry\": { \"requests\": { \"retryLimit\": -1 } } }",
        "registry.requests.retryLimit: -1 is not a whole number from 0 to 100")]
    [InlineData("{ \"registry\": { \"requests\": { \"retryDelay\": 40 } } }", "registry.requests.retryDelay")]
    [InlineData("{ \"registry\": { \"requests\": { \"readDeadline\": 0 } } }", "registry.requests.readDeadline")]
    [InlineData("{ \"registry\": { \"requests\": { \"concurrency\": 9, \"concurrencyMax\": 8 } } }", "registry.requests.concurrency")]
    [InlineData("{ \"registry\": { \"requests\": { \"concurrencyMax\": 5000 } } }",
        "registry.requests.concurrencyMax: 5000 is not a whole number from 1 to 1024")]
    [InlineData(
        "{ \"registry\": { \"requests\": { \"hedgeFloor\": -1 } } }", "registry.requests.hedgeFloor: -1 is not a number from 0 to 86400")]
    [InlineData("{ \"registry\": { \"requests\": { \"decisionBudget\": 0 } } }",
        "registry.requests.decisionBudget: 0 is not a number from 0.001 to 86400")]
    [InlineData("{ \"registry\": { \"requests\": { \"decisionMemory\": 1e9 } } }", "registry.requests.decisionMemory: ")]
    [InlineData("{ \"registry\": { \"requests\": { \"decisionDeadline\": -1 } } }",
        "registry.requests.decisionDeadline: -1 is not a number from 0.001 to 86400")]
    public void A_mistake_is_refused_by_file_place_key_and_value(string text, string named)
    {
        File.WriteAllText(_path, text);
        var refusal = Assert.Throws<InvalidDataException>(() => DaemonOptions.Read(_path));
        Assert.StartsWith(_path + ":", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_number_at_either_end_of_its_limits_is_taken()
    {
        File.WriteAllText(_path, """{ "cache": { "memoryMiB": 0 }, "index": { "concurrency": 64 }, "registry": { "dockerConfig": null, "requests": { "connectTimeout": 0.001, "retryDelayMax": 86400, "hedgeFloor": 0, "retryLimit": 0 } } }""");
        var options = DaemonOptions.Read(_path);
        Assert.Equal((0, 64), (options.Cache.MemoryMiB, options.Index.Concurrency));
        Assert.Equal((0.001, 86400), (options.Registry.Requests.ConnectTimeout, options.Registry.Requests.RetryDelayMax));
    }

    [Fact]
    public void Every_number_has_limits_that_its_default_keeps()
    {
        // What is said for every key in the file itself goes through the same check.
        File.WriteAllText(_path, System.Text.Json.JsonSerializer.Serialize(new DaemonOptions(), DaemonOptionsJson.Default.DaemonOptions));
        Assert.Equal(3, DaemonOptions.Read(_path).Index.Concurrency);
    }

    [Fact]
    public void Only_text_in_UTF_8_of_a_sensible_length_is_a_configuration()
    {
        File.WriteAllText(_path, "{}", System.Text.Encoding.Unicode);
        Assert.Contains("byte 0: not UTF-8 text", Assert.Throws<InvalidDataException>(
            () => DaemonOptions.Read(_path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_path, [.. "{ \"root\": \"/"u8, 0xFF, .. "\" }"u8]);
        Assert.Contains("byte 12: not UTF-8 text", Assert.Throws<InvalidDataException>(
            () => DaemonOptions.Read(_path)).Message, StringComparison.Ordinal);
        File.WriteAllText(_path, "{}", System.Text.Encoding.UTF8); // with a byte order mark
        Assert.Equal(DaemonOptions.DefaultRoot, DaemonOptions.Read(_path).Root);
        File.WriteAllText(_path, "{}" + new string(' ', 2 << 20));
        Assert.Contains(
            "longer than", Assert.Throws<InvalidDataException>(() => DaemonOptions.Read(_path)).Message, StringComparison.Ordinal);
    }
}
