using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http.Addresses;

namespace LazySnapshotter.Registry.Http;

// The pools of connections: one for each way of connecting (ConnectionSettings, guarded or not), shared by all hosts that
// are connected to in this way, and none made before it is needed.
internal sealed class HttpHandlers : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly AddressGuard _guard;
    private readonly EnvironmentProxy _proxy;
    private readonly ConcurrentDictionary<(string Settings, bool IsGuarded), Lazy<HttpMessageInvoker>> _invokers = new();

    public HttpHandlers(RegistryOptions options, RegistryStatistics statistics)
    {
        _options = options;
        _guard = new AddressGuard(options, statistics);
        _proxy = new EnvironmentProxy(options.Environment);
    }

    /// <summary>What a request is to be sent with.</summary>
    /// <exception cref="PrivateAddressException">It must not be sent.</exception>
    public async ValueTask<HttpMessageInvoker> ForAsync(HopRequest hop, CancellationToken cancellationToken)
    {
        if (hop.Home is not { } home)
            return For(ConnectionSettings.Default, isGuarded: false);
        var isGuarded = await _guard.IsGuardedAsync(home.BaseUri, hop.Uri, cancellationToken);
        return For(home.ConnectionTo(hop.Uri), isGuarded);
    }

    public void Dispose()
    {
        foreach (var invoker in _invokers.Values)
        {
            if (invoker.IsValueCreated)
                invoker.Value.Dispose();
        }
    }

    private HttpMessageInvoker For(ConnectionSettings settings, bool isGuarded)
    {
        var key = (settings.Key, isGuarded);
        if (_invokers.TryGetValue(key, out var known))
            return known.Value;

        // Configurations that were edited this often. What is under way with the old ones ends as it would; idle connections
        // close by themselves.
        if (_invokers.Count >= RegistryLimits.HandlersMax)
            _invokers.Clear();
        return _invokers.GetOrAdd(key, _ => new Lazy<HttpMessageInvoker>(() => new HttpMessageInvoker(Create(settings, isGuarded)))).Value;
    }

    private SocketsHttpHandler Create(ConnectionSettings settings, bool isGuarded)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = settings.ConnectTimeout ?? _options.ConnectTimeout,
            ConnectCallback = isGuarded ? _guard.ConnectGuardedAsync : _guard.ConnectTrustedAsync,
            Proxy = _proxy,
            UseProxy = _proxy.IsConfigured,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
            // Long enough to save handshakes, short enough to notice that a registry's name moved.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxResponseHeadersLength = RegistryLimits.ResponseHeaderKilobytesMax,
            // A host that ignores Range is cut off, not listened to until its blob ends.
            MaxResponseDrainSize = 64 << 10,
        };
        Apply(settings, handler.SslOptions);
        _options.ConfigureHandler?.Invoke(handler);
        return handler;
    }

    private static void Apply(ConnectionSettings settings, SslClientAuthenticationOptions tls)
    {
        if (settings.SkipVerify || settings.Authorities.Count > 0)
            tls.RemoteCertificateValidationCallback = new PeerCertificateCheck(settings).IsTrusted;

        // With its chain where there is one to show; of several the one that the host's list of issuers asks for.
        if (settings.ClientCertificates is [var only])
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(only.Certificate, only.Chain, offline: true);
        else if (settings.ClientCertificates.Count > 1)
            tls.ClientCertificates = new X509Certificate2Collection(settings.ClientCertificates.Select(c => c.Certificate).ToArray());
    }
}
