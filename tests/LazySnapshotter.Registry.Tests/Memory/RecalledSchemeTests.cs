using System.Net;
using System.Net.Sockets;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// Which scheme a registry of one's own network speaks has to be found out. That is not done again after a restart, unless
// the one it spoke gets no answer any more.
public sealed class RecalledSchemeTests
{
    private int _port;

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

    private static int PortOf(TestRegistry registry) => new Uri("http://" + registry.Host).Port;

    private async Task ReadAsync(RestartBench bench)
    {
        bench.Stop();
        var client = bench.Start(bench.Bench.Options with
        {
            ConfigureHandler = handler =>
            {
                bench.Bench.Options.ConfigureHandler!(handler);
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
        var reference = ImageReference.Parse($"registry.local:5000/{Bench.Repository}:latest");
        Assert.Equal(bench.Bench.Content[5..9], await bench.Bench.ReadAsync(5, 4, client.OpenBlob(reference, bench.Bench.Blob)));
    }
}
