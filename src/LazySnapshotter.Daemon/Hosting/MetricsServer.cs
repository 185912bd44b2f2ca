using System.Net;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Fuse;
using LazySnapshotter.Registry.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace LazySnapshotter.Daemon.Hosting;

// The meters of this process in Prometheus' text format, on GET /metrics (docs/METRICS.md).
internal sealed class MetricsServer : IAsyncDisposable
{
    // Ours, ASP.NET's for the calls of containerd, and the runtime's.
    private static readonly string[] _meters =
    [
        LayerReadStatistics.MeterName, FuseSession.MeterName, RegistryStatistics.MeterName, "Microsoft.AspNetCore.Hosting",
            "System.Runtime",
    ];

    private readonly WebApplication _application;

    private MetricsServer(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.Single());

    /// <param name="listen">An IP address and a port; null for none.</param>
    /// <exception cref="IOException">The port cannot be had.</exception>
    public static async Task<MetricsServer?> StartAsync(string? listen, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (listen is null)
            return null;
        var builder = SmallHost.CreateBuilder(loggers, kestrel => kestrel.Listen(IPEndPoint.Parse(listen)));
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(_meters).AddPrometheusExporter());
        var application = builder.Build();
        application.MapPrometheusScrapingEndpoint();
        try
        {
            await application.StartAsync(cancellationToken);
            return new MetricsServer(application);
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
