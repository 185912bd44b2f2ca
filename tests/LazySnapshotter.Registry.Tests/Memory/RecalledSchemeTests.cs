using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// Which scheme a registry of one's own network speaks has to be found out. That is not done again after a restart, unless
// the one it spoke gets no answer any more.
public sealed class RecalledSchemeTests
{
    private const int Port = 5000;

    private int _port;
    private X509Certificate2? _certificate;

    [Fact]
    public async Task The_scheme_that_was_found_is_spoken_after_a_restart_without_asking()
    {
        await using var bench = await RestartBench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        _port = PortOf(bench.Server);
        await ReadAsync(bench);
        Assert.Equal("Ping Token Blob", bench.TakeRequests());
        for (var restart = 0; restart < 2; restart++)
        {
            await ReadAsync(bench);
            Assert.Equal("Blob", bench.TakeRequests());
        }
    }

    [Fact]
    public async Task A_registry_that_speaks_https_now_is_found_again_by_the_read_that_notices()
    {
        await using var bench = await RestartBench.StartAsync(new TestRegistryOptions { Tls = true });
        await using var before = await TestRegistry.StartAsync();
        before.Content.AddBlob(Bench.Repository, bench.Bench.Content);
        _port = PortOf(before);
        await ReadAsync(bench);
        Assert.Equal("Ping Blob", string.Join(' ', before.Requests.Select(r => r.Kind)));

        _port = PortOf(bench.Server);
        await ReadAsync(bench);
        Assert.Equal("Ping Blob", bench.TakeRequests());
        await ReadAsync(bench);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    // Whoever sits on the network in between has only to keep https from working, and to answer in plain http.
    [Theory]
    [InlineData(TestAuthMode.Basic)]
    [InlineData(TestAuthMode.Bearer)]
    public async Task What_was_shown_in_https_is_never_shown_in_plain_http(TestAuthMode auth)
    {
        var wantsLogin = new TestRegistryOptions { Auth = auth, Username = "me", Password = "pass-word" };
        await using var bench = await RestartBench.StartAsync(wantsLogin); // In plain http.
        File.WriteAllText(
            bench.Bench.DockerConfigPath, $$$$"""{"auths":{"registry.local:{{{{Port}}}}":{"username":"me","password":"pass-word"}}}""");
        RegistryClient client;
        await using (var secure = await TestRegistry.StartAsync(wantsLogin with { Tls = true }))
        {
            secure.Content.AddBlob(Bench.Repository, bench.Bench.Content);
            (_port, _certificate) = (PortOf(secure), secure.Certificate);
            await ReadAsync(bench);
            secure.ClearLog();
            client = await ReadAsync(bench);
            var shown = Assert.Single(secure.Requests, r => r.Kind == TestRequestKind.Blob);
            Assert.StartsWith(auth.ToString(), shown.Authorization, StringComparison.Ordinal);
        }

        _port = PortOf(bench.Server);
        for (var i = 0; i < 2; i++)
            Assert.Equal(
                RegistryFailure.Unauthorized, (await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(bench, client))).Failure);
        Assert.Contains(bench.Server.Requests, r => r.Kind == TestRequestKind.Ping);
        Assert.All(bench.Server.Requests, r => Assert.Null(r.Authorization));
    }

    private static int PortOf(TestRegistry registry) => new Uri("http://" + registry.Host).Port;

    private async Task<RegistryClient> ReadAsync(RestartBench bench)
    {
        bench.Stop();
        var client = bench.Start(bench.Bench.Options with
        {
            ConfigureHandler = handler =>
            {
                handler.SslOptions.RemoteCertificateValidationCallback =
                    (_, certificate, _, _) =>
                        certificate is X509Certificate2 shown && shown.Equals(_certificate ?? bench.Server.Certificate);
                handler.ConnectCallback = async (context, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    var port = context.DnsEndPoint.Host == "registry.local" ? _port : context.DnsEndPoint.Port;
                    await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                };
            },
            MayLeadTo = _ => true,
        });
        await ReadAsync(bench, client);
        return client;
    }

    private static async Task ReadAsync(RestartBench bench, RegistryClient client)
    {
        var reference = ImageReference.Parse($"registry.local:{Port}/{Bench.Repository}:latest");
        Assert.Equal(bench.Bench.Content[5..9], await bench.Bench.ReadAsync(5, 4, client.OpenBlob(reference, bench.Bench.Blob)));
    }
}
