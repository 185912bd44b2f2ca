using System.Diagnostics.Metrics;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Daemon.Hosting;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Daemon.Tests;

// What Prometheus is told, and that docs/METRICS.md names each instrument there is.
public sealed class MetricsServerTests : IDisposable
{
    private readonly LayerReadStatistics _reads = new();
    private readonly RegistryClient _registry = new(new RegistryOptions(), NullLogger.Instance);

    public MetricsServerTests() => _reads.ShowCacheUsage(() => 0);

    public void Dispose()
    {
        _reads.Dispose();
        _registry.Dispose();
    }

    [Fact]
    public async Task Numbers_are_told_in_the_text_format()
    {
        await using var server = await MetricsServer.StartAsync("127.0.0.1:0", NullLoggerFactory.Instance, CancellationToken.None);
        _reads.Count(ReadCount.BytesServed, 12345);
        using var http = new HttpClient();
        var text = await http.GetStringAsync(new Uri(server!.Address, "/metrics"));
        Assert.Contains("# TYPE lazysnap_layer_read_io_bytes_total counter", text, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^lazysnap_layer_read_io_bytes_total\{[^}]*\} 12345( [0-9]+)?$", text);
        Assert.Matches(@"(?m)^lazysnap_registry_requests_total\{.*lazysnap_request_kind=""Blob"".*\} 0", text);
        Assert.Contains("dotnet_", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_address_there_is_no_server() =>
        Assert.Null(await MetricsServer.StartAsync(null, NullLoggerFactory.Instance, CancellationToken.None));

    [Fact]
    public void Every_instrument_is_documented()
    {
        var names = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name.StartsWith("LazySnapshotter.", StringComparison.Ordinal))
                    names.Add(instrument.Name);
            },
        };
        listener.Start();
        var document = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "METRICS.md"));
        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Contains($"`{name}`", document, StringComparison.Ordinal));
    }

    private static string RepositoryRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "LazySnapshotter.sln")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }
}
