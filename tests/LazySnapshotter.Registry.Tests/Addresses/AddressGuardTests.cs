using System.Collections.Concurrent;
using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Addresses;

// A public registry that names private places. Names resolve to what the test says, and every address is this machine.
public sealed class AddressGuardTests : IAsyncLifetime
{
    private const string Repository = "library/python";

    private readonly ConcurrentDictionary<string, string[]> _names = new(new Dictionary<string, string[]>
    {
        ["public.test"] = ["203.0.113.1"],
        ["private.test"] = ["10.0.0.1"],
        ["cdn.test"] = ["203.0.113.2"],
        ["metadata.test"] = ["169.254.169.254"],
        ["mixed.test"] = ["10.0.0.1", "203.0.113.3", "::1"],
    });

    private readonly ConcurrentQueue<string> _dialled = new();
    private readonly byte[] _content = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];
    private TestRegistry _server = null!;
    private Descriptor _blob = null!;

    private RegistryOptions Options => Bench.Impatient with
    {
        RetryLimit = 0,
        DockerConfigPath = "/nowhere/config.json",
        PlainHttp = _ => true,
        Resolve = (host, _) => Task.FromResult(IPAddress.TryParse(host.Trim('[', ']'), out var literal)
            ? [literal]
            : _names.TryGetValue(host, out var addresses) ? [.. addresses.Select(IPAddress.Parse)] : Dns.GetHostAddresses(host)),
        Dial = (addresses, port, cancellationToken) =>
        {
            _dialled.Enqueue(string.Join(' ', addresses.Select(a => a.ToString())));
            return Dialing.ConnectAsync([IPAddress.Loopback], port, cancellationToken);
        },
    };

    public async Task InitializeAsync() => await StartAsync(new TestRegistryOptions());

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0177.0.0.1")]
    [InlineData("127.1")]
    [InlineData("[::1]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("[::ffff:7f00:1]")]
    [InlineData("metadata.test")]
    [InlineData("localhost")]
    [InlineData("private.test")]
    public async Task A_public_registry_does_not_lead_to_a_private_address(string target)
    {
        using var client = new RegistryClient(Options, new CapturedLogs());
        RedirectTo(target);
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, "public.test"));
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Contains("at the private address", error.Message, StringComparison.Ordinal);
        Assert.Equal("Ping Blob", Requests());
        Assert.Equal(["203.0.113.1"], _dialled.Distinct());
    }

    [Theory]
    [InlineData("public.test", "cdn.test", "203.0.113.2")]
    [InlineData("public.test", "mixed.test", "203.0.113.3")]
    [InlineData("private.test", "metadata.test", "169.254.169.254")]
    [InlineData("private.test", "127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", "private.test", "10.0.0.1")]
    public async Task Where_it_may_lead_only_allowed_addresses_are_dialled(string registry, string target, string dialled)
    {
        using var client = new RegistryClient(Options, new CapturedLogs());
        RedirectTo(target);
        await ReadAsync(client, registry);
        Assert.Equal("Ping Blob Cdn", Requests());
        Assert.Equal(dialled, _dialled.Last());
    }

    [Fact]
    public async Task A_place_that_a_person_allowed_may_be_private()
    {
        using var client = new RegistryClient(
            Options with { MayLeadTo = host => host == $"private.test:{Port(_server.CdnHost)}" }, new CapturedLogs());
        RedirectTo("private.test");
        await ReadAsync(client, "public.test");
        Assert.Equal("Ping Blob Cdn", Requests());
    }

    [Fact]
    public async Task A_connection_made_for_the_private_host_itself_is_not_lent_to_who_is_led_there()
    {
        using var client = new RegistryClient(Options, new CapturedLogs());
        var cdn = ImageReference.Parse($"private.test:{Port(_server.CdnHost)}/{Repository}");
        await Assert.ThrowsAsync<RegistryException>(() => client.GetManifestAsync(cdn, CancellationToken.None)); // 404, but connected.
        _server.ClearLog();
        RedirectTo("private.test");
        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, "public.test"));
        Assert.Equal("Ping Blob", Requests());
    }

    [Fact]
    public async Task A_name_that_changes_its_address_between_question_and_connection_gains_nothing()
    {
        var asked = 0;
        var options = Options with
        {
            Resolve = (host, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(
                host == "public.test" ? "203.0.113.1" : Interlocked.Increment(ref asked) % 2 == 1 ? "203.0.113.9" : "127.0.0.1")]),
        };
        using var client = new RegistryClient(options, new CapturedLogs());
        RedirectTo("rebinding.test");
        await ReadAsync(client, "public.test");
        Assert.Equal(["203.0.113.1", "203.0.113.9"], _dialled);
    }

    [Fact]
    public async Task A_registry_that_was_public_once_is_not_taken_for_a_private_one()
    {
        using var client = new RegistryClient(Options, new CapturedLogs());
        await ReadAsync(client, "public.test");
        _names["public.test"] = ["10.0.0.1"];
        await _server.DisposeAsync();
        await StartAsync(new TestRegistryOptions { Port = Port(_server.Host) }); // All connections are gone.
        RedirectTo("metadata.test");
        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, "public.test"));
        Assert.Equal(["203.0.113.1", "10.0.0.1"], _dialled.Distinct());
        Assert.Equal(0, _server.Count(TestRequestKind.Cdn));
    }

    [Theory]
    [InlineData("public.test", false)]
    [InlineData("private.test", true)]
    public async Task A_realm_at_a_private_address_is_for_private_registries(string registry, bool isAsked)
    {
        await _server.DisposeAsync();
        await StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer, Username = "someone", Password = "password" });
        using var client = new RegistryClient(Options, new CapturedLogs());
        var reference = ImageReference.Parse($"{registry}:{Port(_server.Host)}/{Repository}");
        client.UseCredentials(reference, "someone", "password");
        if (isAsked)
        {
            await ReadAsync(client, registry);
            Assert.Equal("Ping Token Blob", Requests());
            return;
        }

        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, registry));
        Assert.Contains($"token for repository:{Repository}:pull: a public host named this place", error.Message, StringComparison.Ordinal);
        Assert.Equal("Ping", Requests());
    }

    private static int Port(string host) => new Uri("http://" + host).Port;

    private async Task StartAsync(TestRegistryOptions options)
    {
        _server = await TestRegistry.StartAsync(options);
        _blob = _server.Content.AddBlob(Repository, _content);
        _server.Faults.Add(Fault.Status(200, TestRequestKind.Cdn, body: new string('x', _content.Length)));
    }

    private void RedirectTo(string host) => _server.Faults.Add(Fault.Status(307, TestRequestKind.Blob) with
    {
        Headers = new Dictionary<string, string> { ["Location"] = $"http://{host}:{Port(_server.CdnHost)}/blob" },
    });

    private async Task ReadAsync(RegistryClient client, string registry)
    {
        var reference = ImageReference.Parse($"{registry}:{Port(_server.Host)}/{Repository}:latest");
        await using var stream = await client.OpenBlob(reference, _blob.Digest, _blob.Size)
            .OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(_content.Length, (await Bench.ReadAllAsync(stream)).Length);
    }

    private string Requests() => string.Join(' ', _server.Requests.Select(r => r.Kind));
}
