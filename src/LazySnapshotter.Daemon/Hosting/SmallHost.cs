using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon.Hosting;

// ASP.NET's application with nothing in it but Kestrel and our log: no files that configure it, no environment, no signals.
internal static class SmallHost
{
    public static WebApplicationBuilder CreateBuilder(ILoggerFactory loggers, Action<KestrelServerOptions> configure)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(configure);
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        return builder;
    }

    // Signals end the command, which ends a server when its turn has come; a host's own lifetime would end it first.
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
