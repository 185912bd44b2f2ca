using System.Net;

namespace LazySnapshotter.Registry.Http;

// The proxy that the environment names, as containerd and everything else in Go understands it (golang.org/x/net/http/httpproxy):
// HTTPS_PROXY for https, HTTP_PROXY for http, NO_PROXY for hosts reached directly, each in small letters too. .NET's own reading
// knows neither networks (10.0.0.0/8) nor ports nor bare domains in NO_PROXY, and goes through the proxy to loopback.
internal sealed class EnvironmentProxy : IWebProxy
{
    private readonly Uri? _http;
    private readonly Uri? _https;
    private readonly ProxyExceptions _exceptions;

    public EnvironmentProxy(Func<string, string?> environment)
    {
        // A web server that runs us as CGI hands a request's "Proxy:" header over as HTTP_PROXY.
        var isCgi = !string.IsNullOrEmpty(environment("REQUEST_METHOD"));
        var (http, https) = (isCgi ? null : Parse(Either("HTTP_PROXY")), Parse(Either("HTTPS_PROXY")));
        (_http, _https) = (WithoutLogin(http), WithoutLogin(https));
        _exceptions = new ProxyExceptions(Either("NO_PROXY"));
        var logins = new[] { https, http }.Where(p => p is { UserInfo.Length: > 0 }).Cast<Uri>().ToList();
        if (logins.Count > 0)
            Credentials = new ProxyLogins(logins);

        string Either(string name) => environment(name) is { Length: > 0 } value ? value : environment(name.ToLowerInvariant()) ?? "";
    }

    public bool IsConfigured => _http is not null || _https is not null;

    public ICredentials? Credentials { get; set; }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : ProxyFor(destination);

    public bool IsBypassed(Uri host) => ProxyFor(host) is null || _exceptions.Contain(host);

    private Uri? ProxyFor(Uri destination) => destination.Scheme == Uri.UriSchemeHttps ? _https : _http;

    // "proxy:3128" is an http proxy. What is no URL of a proxy is none, as for Go.
    private static Uri? Parse(string text)
    {
        if (text.Length == 0)
            return null;
        var isUrl = Uri.TryCreate(
            text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var proxy);
        return isUrl && proxy!.Host.Length > 0 && proxy.Scheme is "http" or "https" or "socks5" ? proxy : null;
    }

    // The runtime's exceptions print the proxy's URL.
    private static Uri? WithoutLogin(Uri? proxy) =>
        proxy is { UserInfo.Length: > 0 } ? new UriBuilder(proxy) { UserName = "", Password = "" }.Uri : proxy;

    // Shown to the proxy alone, and only if it asks.
    private sealed class ProxyLogins(List<Uri> proxies) : ICredentials
    {
        public NetworkCredential? GetCredential(Uri uri, string authType)
        {
            var proxy = proxies.Find(p => p.Host == uri.Host && p.Port == uri.Port);
            if (proxy is null)
                return null;
            var parts = proxy.UserInfo.Split(':', 2);
            return new NetworkCredential(Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
        }
    }
}
