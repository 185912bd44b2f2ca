using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using LazySnapshotter.Oci;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.TestSupport.Registry;

// A distribution registry for pulling and pushing, in this process, on loopback: a real server that speaks the real protocol, counts
// everything, and misbehaves on demand. Three ports: the registry, its token service, and the host it keeps its blobs
// on ("CDN"), because to a client they are three hosts.
public sealed class TestRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<TestRequest> _log = new();
    private long _connections;

    private TestRegistry(TestRegistryOptions options)
    {
        Options = options;
        Certificate = options.Tls ? options.Certificate ?? TestCertificate.Create() : null;
        Link = new LinkShaper(options.Link);
        Tokens = new TestTokens(options);
        SignedUrls = new SignedUrls(options.UrlLifetime, Tokens.AddSecret);
        Faults = new FaultPlan(options.Seed);
        _app = Build();
    }

    public TestRegistryOptions Options { get; }

    public TestContent Content { get; } = new();

    public FaultPlan Faults { get; }

    public TestTokens Tokens { get; }

    public SignedUrls SignedUrls { get; }

    public TestUploads Uploads { get; } = new();

    public X509Certificate2? Certificate { get; }

    /// <summary>As in an image reference: <c>127.0.0.1:port</c>.</summary>
    public string Host { get; private set; } = "";

    /// <summary>The same port by a name that does not look like loopback, and that the client's hosts file must know.</summary>
    public string OtherHost => TestCertificate.OtherName + Host[Host.IndexOf(':', StringComparison.Ordinal)..];

    public string TokenHost { get; private set; } = "";

    public string CdnHost { get; private set; } = "";

    public IReadOnlyCollection<TestRequest> Requests => _log;

    public long BytesSent => _log.Sum(r => r.BytesSent);

    /// <summary>Connections accepted on all ports.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    internal LinkShaper Link { get; }

    internal string Scheme => Options.Tls ? "https" : "http";

    public static async Task<TestRegistry> StartAsync(TestRegistryOptions? options = null)
    {
        var registry = new TestRegistry(options ?? new TestRegistryOptions());
        await registry._app.StartAsync();
        // In the order the ports were listened on.
        var hosts = registry._app.Urls.Select(u => new Uri(u).Authority).ToArray();
        (registry.Host, registry.TokenHost, registry.CdnHost) = (hosts[0], hosts[1], hosts[2]);
        return registry;
    }

    public int Count(TestRequestKind kind) => _log.Count(r => r.Kind == kind);

    public long BytesOf(TestRequestKind kind) => _log.Where(r => r.Kind == kind).Sum(r => r.BytesSent);

    /// <summary>Starts counting anew.</summary>
    public void ClearLog() => _log.Clear();

    public ImageReference Reference(string repository, string tag = "latest") => ImageReference.Parse($"{Host}/{repository}:{tag}");

    public async ValueTask DisposeAsync()
    {
        // Stalled bodies wait for ever: whoever is still connected is cut off.
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        Certificate?.Dispose();
    }

    internal TestRequestKind KindOf(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (context.Connection.LocalPort == PortOf(TokenHost))
            return TestRequestKind.Token;
        if (context.Connection.LocalPort == PortOf(CdnHost))
            return TestRequestKind.Cdn;
        return path is "/v2/" or "/v2" ? TestRequestKind.Ping
            : path.Contains("/manifests/", StringComparison.Ordinal) ? TestRequestKind.Manifest
            : path.Contains("/blobs/uploads/", StringComparison.Ordinal) ? TestRequestKind.Upload
            : path.Contains("/referrers/", StringComparison.Ordinal) ? TestRequestKind.Referrers
            : path.EndsWith("/tags/list", StringComparison.Ordinal) ? TestRequestKind.Tags
            : path.Contains("/blobs/", StringComparison.Ordinal) ? TestRequestKind.Blob
            : TestRequestKind.Other;
    }

    private static int PortOf(string host) => new Uri("http://" + host).Port;

    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxResponseBufferSize = 256 << 10;
            Listen(kestrel, TestHost.Registry, Options.Port);
            Listen(kestrel, TestHost.TokenService, 0);
            Listen(kestrel, TestHost.Cdn, 0);
        });
        if (Options.Tls)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddLogging(logging => logging.ClearProviders());
        var app = builder.Build();
        app.Run(HandleAsync);
        return app;
    }

    private void Listen(KestrelServerOptions kestrel, TestHost host, int port) => kestrel.Listen(IPAddress.Loopback, port, listen =>
    {
        listen.Use(next => async connection =>
        {
            Interlocked.Increment(ref _connections);
            if (Faults.Take(host) is { } trouble)
            {
                await ConnectionFault.SufferAsync(connection, trouble);
                return;
            }

            await Link.RoundTripAsync(connection.ConnectionClosed); // SYN and SYN-ACK.
            if (Options.Tls)
                await Link.RoundTripAsync(connection.ConnectionClosed); // TLS 1.3.
            await next(connection);
        });
        if (Certificate is not null)
        {
            listen.UseHttps(Certificate, https =>
            {
                https.ClientCertificateMode = Options.AsksForCertificates
                    ? ClientCertificateMode.RequireCertificate
                    : ClientCertificateMode.NoCertificate;
                https.AllowAnyClientCertificate();
            });
        }
    });

    private async Task HandleAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        var request = new TestRequest
        {
            Kind = KindOf(context),
            Method = context.Request.Method,
            Host = context.Request.Host.Value ?? "",
            Path = context.Request.Path.Value ?? "",
            Query = context.Request.QueryString.Value ?? "",
            Range = headers.Range,
            Authorization = headers.Authorization,
            AcceptEncoding = headers.AcceptEncoding,
            UserAgent = headers.UserAgent,
            Cookie = headers.Cookie,
            Protocol = context.Request.Protocol,
            ClientCertificate = context.Connection.ClientCertificate?.Subject,
            Headers = headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        };
        _log.Enqueue(request);
        try
        {
            await Link.RoundTripAsync(context.RequestAborted);
            await new TestRequestHandler(this, context, request, Faults.Take(request)).AnswerAsync();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left.
        }
        finally
        {
            request.StatusCode = context.Response.StatusCode;
        }
    }
}
