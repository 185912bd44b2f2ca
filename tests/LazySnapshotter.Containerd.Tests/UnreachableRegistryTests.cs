using System.Net;
using System.Net.Sockets;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Containerd.Tests;

// A registry that containerd may reach, but we cannot: what it costs a pull until containerd has been told for every layer
// that it is its own to fetch. One budget for an image of eight layers, however it fails.
public sealed class UnreachableRegistryTests
{
    private const int LayerCount = 8;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(new RequestSection().DecisionBudget);
    private static readonly IReadOnlyList<byte[]> Blobs = PullingNode.Layers(LayerCount);

    [Fact]
    public async Task A_name_that_does_not_exist_costs_a_look_up() =>
        await RefusedSoonAsync("registry.invalid", "registry.invalid", withinBudget: true);

    [Fact]
    public async Task A_port_where_nobody_listens_costs_a_connection()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var host = closed.LocalEndpoint.ToString()!;
        closed.Stop();
        await RefusedSoonAsync(host, host, withinBudget: true);
    }

    [Fact]
    public async Task A_server_that_accepts_and_never_answers_costs_one_budget()
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new ConnectionFault(TestHost.Registry, ConnectionTrouble.Silence));
        await RefusedSoonAsync(registry.Host, registry.Host);
    }

    [Fact]
    public async Task A_connection_that_is_never_made_costs_one_budget()
    {
        // A queue of connections that is full: Linux drops further SYNs, as a firewall does.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(full.LocalEndPoint!);
        await RefusedSoonAsync(full.LocalEndPoint!.ToString()!, full.LocalEndPoint.ToString()!);
    }

    [Fact]
    public async Task A_certificate_nobody_trusts_costs_a_handshake()
    {
        await using var registry = await RegistryAsync(new TestRegistryOptions { Tls = true });
        await RefusedSoonAsync(registry.Host, "secure connection", withinBudget: true, hosts: $"server = \"https://{registry.Host}\"");
        Assert.InRange(registry.Connections, 1, 4);
        Assert.Empty(registry.Requests);
    }

    [Theory]
    [InlineData(TestAuthMode.Basic)]
    [InlineData(TestAuthMode.Bearer)]
    public async Task A_registry_that_wants_credentials_we_do_not_have_is_asked_once_for_all_layers(TestAuthMode mode)
    {
        await using var registry = await RegistryAsync(new TestRegistryOptions { Auth = mode, Username = "somebody", Password = "secret" });
        await RefusedSoonAsync(registry.Host, "401", withinBudget: true);
        Assert.InRange(registry.Requests.Count, 2, 6);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(418)]
    public async Task A_registry_that_gives_nothing_of_the_repository_is_asked_once_for_all_layers(int status)
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new Fault { StatusCode = status, When = request => request.Kind != TestRequestKind.Ping });
        await RefusedSoonAsync(registry.Host, status.ToString(System.Globalization.CultureInfo.InvariantCulture), withinBudget: true);
        Assert.InRange(registry.Requests.Count, 2, 6);
    }

    [Theory]
    [InlineData(500, true)]
    [InlineData(503, true)]
    [InlineData(429, true)]
    [InlineData(503, false)]
    [InlineData(429, false)]
    public async Task A_registry_that_is_always_out_of_order_is_asked_twice(int status, bool pingToo)
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new Fault { StatusCode = status, When = request => pingToo || request.Kind != TestRequestKind.Ping });
        await RefusedSoonAsync(registry.Host, status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.InRange(registry.Requests.Count, 2, 8);
    }

    [Fact]
    public async Task A_registry_that_wants_to_be_left_alone_for_a_minute_is()
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(Fault.Status(429).With("Retry-After", "60"));
        await RefusedSoonAsync(registry.Host, "429", withinBudget: true);
        Assert.InRange(registry.Requests.Count, 1, 3); // the ping, which decides nothing, and what two sources ask at once
    }

    [Theory]
    [InlineData(ConnectionTrouble.Reset)]
    [InlineData(ConnectionTrouble.Close)]
    [InlineData(ConnectionTrouble.Garbage)]
    public async Task A_server_that_is_no_registry_costs_less_than_a_budget(ConnectionTrouble trouble)
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new ConnectionFault(TestHost.Registry, trouble));
        await RefusedSoonAsync(registry.Host, registry.Host, withinBudget: true);
        Assert.InRange(registry.Connections, 1, 16); // for eight layers
    }

    [Fact]
    public async Task A_registry_that_falls_silent_after_its_ping_costs_three_budgets()
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new Fault { Delay = TimeSpan.FromHours(1), When = request => request.Kind != TestRequestKind.Ping });
        await RefusedSoonAsync(registry.Host, registry.Host, budgets: 4);
        Assert.InRange(registry.Requests.Count, 2, 6);
    }

    [Fact]
    public async Task A_token_service_that_is_silent_costs_one_budget()
    {
        await using var registry = await RegistryAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        registry.Faults.Add(new ConnectionFault(TestHost.TokenService, ConnectionTrouble.Silence));
        await RefusedSoonAsync(registry.Host, registry.TokenHost);
    }

    [Fact]
    public async Task A_storage_host_that_is_silent_costs_one_budget()
    {
        await using var registry = await RegistryAsync(new TestRegistryOptions { RedirectBlobs = true });
        registry.Faults.Add(new ConnectionFault(TestHost.Cdn, ConnectionTrouble.Silence));
        await RefusedSoonAsync(registry.Host, registry.CdnHost, image: Publish(registry));
    }

    [Fact]
    public async Task A_host_that_was_silent_costs_the_next_image_nothing()
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new ConnectionFault(TestHost.Registry, ConnectionTrouble.Silence));
        await using var node = new PullingNode();
        await node.PullAsync(registry.Host, Digest.OfSha256([1]), [.. Blobs.Select(b => Digest.OfSha256(b))]);
        var connections = registry.Connections;

        var (lazy, waited) = await node.PullAsync(registry.Host, Digest.OfSha256([2]), [.. Blobs.Select(b => Digest.OfSha256(b))]);

        Assert.Equal(0, lazy);
        Assert.InRange(waited, TimeSpan.Zero, Budget / 2);
        Assert.Equal(connections, registry.Connections);
    }

    [Fact]
    public async Task A_registry_that_answers_slowly_but_answers_is_waited_for()
    {
        await using var registry = await RegistryAsync();
        // All of it together takes longer than the budget.
        registry.Faults.Add(new Fault { Delay = Budget / 2 });
        await using var node = new PullingNode();
        var (manifest, layers) = Publish(registry);

        var (lazy, waited) = await node.PullAsync(registry.Host, manifest, layers);

        Assert.Equal(LayerCount, lazy);
        Assert.True(waited > Budget, $"took {waited} only");
    }

    [Fact]
    public async Task A_layer_that_comes_slowly_is_waited_for()
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, BytesPerSecond = 40 });
        await using var node = new PullingNode(new RequestSection { DecisionBudget = 1, DecisionDeadline = 2 });
        var (manifest, layers) = Publish(registry);

        var (lazy, waited) = await node.PullAsync(registry.Host, manifest, [.. layers.Take(2)]);

        Assert.Equal(2, lazy);
        Assert.True(waited > TimeSpan.FromSeconds(2), $"took {waited} only");
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_registry_that_is_out_of_order_once_is_asked_again(int status)
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(Fault.Status(status, TestRequestKind.Ping, times: 1));
        registry.Faults.Add(Fault.Status(status, TestRequestKind.Blob, times: 1));
        await using var node = new PullingNode();
        var (manifest, layers) = Publish(registry);
        Assert.Equal(LayerCount, (await node.PullAsync(registry.Host, manifest, layers)).Lazy);
    }

    [Fact]
    public async Task Prepare_has_an_end_of_its_own_even_where_no_request_has()
    {
        await using var registry = await RegistryAsync();
        registry.Faults.Add(new Fault { Delay = TimeSpan.FromHours(1) });
        var requests = new RequestSection { DecisionBudget = 3600, ResponseTimeout = 3600, DocumentDeadline = 3600, DecisionDeadline = 2 };
        await using var node = new PullingNode(requests);
        var (manifest, layers) = Publish(registry);

        var (lazy, waited) = await node.PullAsync(registry.Host, manifest, [layers[0]]);

        Assert.Equal(0, lazy);
        Assert.InRange(waited, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(20));
        Assert.Contains(node.Log.Warnings, line => line.Contains("nothing has come for 2 s", StringComparison.Ordinal));
    }

    private static Task<TestRegistry> RegistryAsync(TestRegistryOptions? options = null) => TestRegistry.StartAsync(options);

    private static (Digest Manifest, IReadOnlyList<Digest> Layers) Publish(TestRegistry registry)
    {
        var layers = Blobs.Select(blob => registry.Content.AddBlob(PullingNode.Repository, blob, MediaTypes.OciLayerGzip)).ToList();
        return (registry.Content.AddImage(PullingNode.Repository, "latest", layers).Digest, [.. layers.Select(layer => layer.Digest)]);
    }

    // Every layer is left to containerd, soon, and one warning says why.
    private static async Task RefusedSoonAsync(
        string host, string named, bool withinBudget = false, int budgets = 2, string? hosts = null,
        (Digest Manifest, IReadOnlyList<Digest> Layers)? image = null)
    {
        var (manifest, layers) = image ?? (Digest.OfSha256([1]), [.. Blobs.Select(b => Digest.OfSha256(b))]);
        await using var node = new PullingNode(hosts: hosts);
        var (lazy, waited) = await node.PullAsync(host, manifest, layers);
        Assert.Equal(0, lazy);
        Assert.InRange(waited, TimeSpan.Zero, withinBudget ? Budget : Budget * budgets);
        Assert.Contains(named, Assert.Single(node.Log.Warnings), StringComparison.Ordinal);
    }
}
