using System.Security.Cryptography.X509Certificates;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Proxies;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Hosts;

// The proxy that the environment names: as Go reads it, and with a real one in between.
public sealed class ProxyTests
{
    private const string Http = "http://registry.example:5000/";
    private const string Https = "https://registry.example/";

    [Theory]
    [InlineData("HTTPS_PROXY=p:3128", Https, "http://p:3128/")]
    [InlineData("https_proxy=p:3128", Https, "http://p:3128/")]
    [InlineData("HTTPS_PROXY=p:3128,https_proxy=q:3128", Https, "http://p:3128/")]
    [InlineData("HTTPS_PROXY=,https_proxy=q:3128", Https, "http://q:3128/")]
    [InlineData("HTTPS_PROXY=p:3128", Http, null)]
    [InlineData("HTTP_PROXY=http://p:3128", Http, "http://p:3128/")]
    [InlineData("http_proxy=http://p:3128", Http, "http://p:3128/")]
    [InlineData("HTTP_PROXY=http://p:3128", Https, null)]
    [InlineData("HTTP_PROXY=http://p:3128,REQUEST_METHOD=GET", Http, null)]
    [InlineData("HTTPS_PROXY=socks5://p:1080", Https, "socks5://p:1080/")]
    [InlineData("HTTPS_PROXY=https://p", Https, "https://p/")]
    [InlineData("HTTPS_PROXY=http://me:secret@p:3128", Https, "http://p:3128/")] // The runtime's exceptions print it.
    [InlineData("HTTPS_PROXY=ftp://p", Https, null)]
    [InlineData("HTTPS_PROXY=http://", Https, null)]
    [InlineData("", Https, null)]
    public void The_environment_names_a_proxy(string environment, string destination, string? proxy)
    {
        var values = environment.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(e => e.Split('=', 2)).ToDictionary(e => e[0], e => e[1]);
        Assert.Equal(proxy, new EnvironmentProxy(values.GetValueOrDefault).GetProxy(new Uri(destination))?.ToString());
    }

    [Theory]
    [InlineData("example.com", "https://example.com/", true)]
    [InlineData("example.com", "https://a.b.example.com/", true)]
    [InlineData("example.com", "https://anexample.com/", false)]
    [InlineData(".example.com", "https://a.example.com/", true)]
    [InlineData(".example.com", "https://example.com/", false)]
    [InlineData("*.example.com", "https://a.example.com/", true)]
    [InlineData("*.example.com", "https://example.com/", false)]
    [InlineData(" EXAMPLE.com , other", "https://Example.COM/", true)]
    [InlineData("example.com:5000", "https://example.com:5000/", true)]
    [InlineData("example.com:5000", "https://example.com/", false)]
    [InlineData("example.com:443", "https://a.example.com/", true)]
    [InlineData("10.0.0.0/8", "https://10.200.3.4:5000/", true)]
    [InlineData("10.1.2.3/8", "https://10.200.3.4:5000/", true)]
    [InlineData("10.0.0.0/8", "https://11.0.0.1/", false)]
    [InlineData("10.0.0.0/8", "https://ten.example/", false)]
    [InlineData("192.168.1.7", "https://192.168.1.7:5000/", true)]
    [InlineData("192.168.1.7:80", "https://192.168.1.7:5000/", false)]
    [InlineData("192.168.1.7", "https://192.168.1.70/", false)]
    [InlineData("fd00::/8", "https://[fd00::1]:5000/", true)]
    [InlineData("[fd00::1]:5000", "https://[fd00::1]:5000/", true)]
    [InlineData("fd00::1", "https://[fd00::1]/", true)]
    [InlineData("*", "https://anything.example/", true)]
    [InlineData("10.0.0.0/99,example.com:x,.,", "https://example.com/", false)]
    [InlineData("", "https://localhost:5000/", true)]
    [InlineData("", "http://127.0.0.1:5000/", true)]
    [InlineData("", "https://[::1]/", true)]
    [InlineData("", "https://example.com/", false)]
    public void No_proxy_for(string exceptions, string destination, bool direct)
    {
        var proxy = new EnvironmentProxy(
            name => name switch { "NO_PROXY" => exceptions, "HTTPS_PROXY" or "HTTP_PROXY" => "p:3128", _ => null });
        Assert.Equal(direct, proxy.IsBypassed(new Uri(destination)));
        Assert.Equal(direct, proxy.GetProxy(new Uri(destination)) is null);
    }

    [Fact]
    public async Task Plain_http_goes_through_the_proxy()
    {
        await using var proxy = new TestProxy();
        await using var bench = await StartAsync(proxy, "HTTP_PROXY", new TestRegistryOptions());
        await bench.AssertReadsAsync();
        Assert.Equal(2, proxy.Requests.Count);
        Assert.All(proxy.Requests, r => Assert.StartsWith($"GET http://registry.example:{bench.Port}/v2/", r, StringComparison.Ordinal));
        Assert.All(bench.Server.Requests, r => Assert.Equal($"registry.example:{bench.Port}", r.Host));
    }

    [Fact]
    public async Task Https_goes_through_a_tunnel_and_is_http2_inside()
    {
        await using var proxy = new TestProxy();
        await using var bench = await StartAsync(proxy, "HTTPS_PROXY", new TestRegistryOptions { Tls = true });
        await bench.AssertReadsAsync();
        Assert.Equal([$"CONNECT registry.example:{bench.Port}"], proxy.Requests);
        Assert.All(bench.Server.Requests, r => Assert.Equal("HTTP/2", r.Protocol));
    }

    [Fact]
    public async Task A_proxy_that_wants_a_login_gets_it_and_nobody_else_does()
    {
        await using var proxy = new TestProxy("us er:pass word");
        await using var bench = await StartAsync(proxy, "HTTPS_PROXY", new TestRegistryOptions { Tls = true }, "us%20er:pass%20word@");
        await bench.AssertReadsAsync();
        Assert.Equal(2, proxy.Requests.Count); // The first is told that a login is wanted.
        Assert.All(bench.Server.Requests, r => Assert.DoesNotContain("Proxy-Authorization", r.Headers.Keys));
        Assert.DoesNotContain("pass", bench.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTPS_PROXY", true)]
    [InlineData("HTTP_PROXY", false)]
    public async Task A_proxy_that_refuses_the_login_is_an_error_without_it(string variable, bool tls)
    {
        await using var proxy = new TestProxy("me:another");
        await using var bench = await StartAsync(proxy, variable, new TestRegistryOptions { Tls = tls }, "somebody:pass%20word@");
        var error = await Assert.ThrowsAsync<RegistryException>(bench.AssertReadsAsync);
        Assert.Contains("407", error.Message, StringComparison.Ordinal);
        foreach (var text in (string[])[error.ToString(), bench.Log.Text])
        {
            Assert.DoesNotContain("pass", text, StringComparison.Ordinal);
            Assert.DoesNotContain("somebody", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Hosts_in_no_proxy_are_reached_directly()
    {
        await using var proxy = new TestProxy();
        await using var bench = await StartAsync(proxy, "HTTP_PROXY", new TestRegistryOptions(), noProxy: "example");
        await bench.AssertReadsAsync();
        Assert.Empty(proxy.Requests);
    }

    private static async Task<ProxiedBench> StartAsync(
        TestProxy proxy, string variable, TestRegistryOptions options, string login = "", string noProxy = "")
    {
        var server = await TestRegistry.StartAsync(options);
        var log = new CapturedLogs();
        var client = new RegistryClient(
            Bench.Impatient with
            {
                RetryLimit = 0,
                PlainHttp = _ => !options.Tls,
                DockerConfigPath = "/nonexistent/config.json",
                Environment = name => name == variable ? $"http://{login}{proxy.Host}" : name == "NO_PROXY" ? noProxy : null,
                Resolve = (_, _) => Task.FromResult<System.Net.IPAddress[]>([System.Net.IPAddress.Loopback]),
                ConfigureHandler = handler => handler.SslOptions.RemoteCertificateValidationCallback =
                    (_, certificate, _, _) => certificate is X509Certificate2 shown && shown.Equals(server.Certificate),
            },
            log);
        return new ProxiedBench(server, client, log);
    }

    private sealed record ProxiedBench(TestRegistry Server, RegistryClient Client, CapturedLogs Log) : IAsyncDisposable
    {
        public int Port => new Uri("http://" + Server.Host).Port;

        public async Task AssertReadsAsync()
        {
            var content = new byte[5000];
            new Random(5).NextBytes(content);
            var blob = Server.Content.AddBlob("a/b", content);
            var source = Client.OpenBlob(ImageReference.Parse($"registry.example:{Port}/a/b:latest"), blob.Digest, blob.Size);
            await using var stream = await source.OpenExactRangeAsync(10, 100, ReadPriority.Demanded(), CancellationToken.None);
            Assert.Equal(content[10..110], await Bench.ReadAllAsync(stream));
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Server.DisposeAsync();
        }
    }
}
