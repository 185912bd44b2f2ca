using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Tls;

namespace LazySnapshotter.Registry.Tests.Hosts;

// Whom is trusted and who is shown what: private authorities, client certificates, hosts that need not prove themselves;
// and that connections are shared as far as that allows.
public sealed class TlsTests : IAsyncDisposable
{
    private const string Repository = "library/python";

    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-tls-").FullName;
    private readonly TestAuthority _authority = TestAuthority.Create("private authority");
    private readonly MovableClock _clock = new();
    private readonly byte[] _content = new byte[100_000];
    private TestRegistry _server = null!;
    private RegistryClient _client = null!;

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("ca = \"ca.pem\"", true)]
    [InlineData("ca = [\"other.pem\", \"ca.pem\"]", true)]
    [InlineData("ca = \"other.pem\"", false)]
    [InlineData("", false)]
    [InlineData("skip_verify = true", true)]
    [InlineData("skip_verify = false", false)]
    public async Task A_private_authority_is_trusted_where_it_is_configured(string settings, bool trusted)
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer() });
        Configure("127.0.0.1", settings);
        if (trusted)
        {
            await ReadAsync("127.0.0.1");
            Assert.All(_server.Requests, r => Assert.Equal("HTTP/2", r.Protocol));
        }
        else
        {
            await RefusedAsync("127.0.0.1");
        }
    }

    [Fact]
    public async Task An_intermediate_authority_is_an_anchor_too()
    {
        using var intermediate = _authority.Intermediate("intermediate");
        await StartAsync(new TestRegistryOptions { Certificate = intermediate.ForServer() });
        File.WriteAllText(Path.Combine(_folder, "intermediate.pem"), intermediate.Pem);
        Configure("127.0.0.1", "ca = \"ca.pem\""); // The server does not send what would lead there.
        await RefusedAsync("127.0.0.1");
        Configure("localhost", "ca = \"intermediate.pem\"");
        await ReadAsync("localhost");
    }

    [Fact]
    public async Task A_servers_own_certificate_is_an_anchor_too()
    {
        await StartAsync(new TestRegistryOptions());
        File.WriteAllText(Path.Combine(_folder, "own.pem"), _server.Certificate!.ExportCertificatePem());
        Configure("127.0.0.1", "ca = \"own.pem\"");
        await ReadAsync("127.0.0.1");
    }

    [Fact]
    public async Task Being_trusted_is_not_enough_if_the_name_is_another()
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer("right.example") });
        Configure("right.example", "ca = \"ca.pem\"");
        Configure("wrong.example", "ca = \"ca.pem\"");
        await ReadAsync("right.example");
        await RefusedAsync("wrong.example");
    }

    [Fact]
    public async Task A_host_that_need_not_prove_itself_leads_to_none_that_need_not()
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer("right.example"), RedirectBlobs = true });
        Configure("right.example", "skip_verify = true");
        var error = await RefusedAsync("right.example"); // To 127.0.0.1, where the blobs are.
        Assert.Equal(_server.CdnHost, error.Host);
        Assert.Equal(0, _server.Count(TestRequestKind.Cdn));

        // What is trusted on its behalf is trusted there too.
        Configure("right.example", "skip_verify = true\nca = \"ca.pem\"");
        _clock.Advance(TimeSpan.FromSeconds(2));
        await ReadAsync("right.example");
    }

    [Theory]
    [InlineData("client = \"both.pem\"")]
    [InlineData("client = [[\"client.cert\", \"client.key\"]]")]
    [InlineData("client = [\"both.pem\", \"other-both.pem\"]")]
    public async Task A_client_certificate_is_shown_to_a_server_that_asks_for_one(string settings)
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer(), AsksForCertificates = true });
        Configure("127.0.0.1", "ca = \"ca.pem\"\n" + settings);
        await ReadAsync("127.0.0.1");
        Assert.All(_server.Requests, r => Assert.Equal("CN=node", r.ClientCertificate));

        Configure("localhost", "ca = \"ca.pem\"");
        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync("localhost"));
    }

    [Fact]
    public async Task A_client_certificate_is_shown_to_its_host_alone()
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer(
            "right.example"), AsksForCertificates = true, RedirectBlobs = true });
        Configure("right.example", "ca = \"ca.pem\"\nclient = \"both.pem\"");
        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync("right.example"));
        Assert.Equal(
            ["CN=node", "CN=node"], _server.Requests.Where(r => r.Kind != TestRequestKind.Cdn).Select(r => r.ClientCertificate).Take(2));
        Assert.DoesNotContain(_server.Requests, r => r.Kind == TestRequestKind.Cdn);
    }

    [Fact]
    public async Task A_certificate_that_is_renewed_is_read_again()
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer() });
        var directory = Configure("127.0.0.1", "ca = \"other.pem\"");
        await RefusedAsync("127.0.0.1");
        File.WriteAllText(Path.Combine(directory, "other.pem"), _authority.Pem + "\n");
        _clock.Advance(TimeSpan.FromSeconds(2));
        await ReadAsync("127.0.0.1");
    }

    [Fact]
    public async Task Docker_style_certificates_count_where_there_is_no_hosts_toml()
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer(), AsksForCertificates = true });
        var directory = Directory.CreateDirectory(Path.Combine(_folder, "certs.d", _server.Host)).FullName;
        File.Copy(Path.Combine(_folder, "ca.pem"), Path.Combine(directory, "ca.crt"));
        File.Copy(Path.Combine(_folder, "client.cert"), Path.Combine(directory, "client.cert"));
        File.Copy(Path.Combine(_folder, "client.key"), Path.Combine(directory, "client.key"));
        await ReadAsync("127.0.0.1");
        Assert.All(_server.Requests, r => Assert.Equal(("CN=node", "HTTP/2"), (r.ClientCertificate, r.Protocol)));
    }

    [Fact]
    public async Task Reads_at_once_share_one_connection()
    {
        await StartAsync(new TestRegistryOptions { Certificate = _authority.ForServer() });
        Configure("127.0.0.1", "ca = \"ca.pem\"");
        await ReadAsync("127.0.0.1");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ReadAsync("127.0.0.1")));
        Assert.Equal(21, _server.Count(TestRequestKind.Blob));
        Assert.Equal(1, _server.Connections);
    }

    private async Task StartAsync(TestRegistryOptions options)
    {
        _server = await TestRegistry.StartAsync(options with { Tls = true });
        new Random(3).NextBytes(_content);
        _server.Content.AddBlob(Repository, _content);
        using var other = TestAuthority.Create("another authority");
        var (certificate, key) = _authority.ForClient("node");
        var (otherCertificate, otherKey) = other.ForClient("other");
        Write("ca.pem", _authority.Pem);
        Write("other.pem", other.Pem);
        Write("client.cert", certificate);
        Write("client.key", key);
        Write("both.pem", certificate + "\n" + key);
        Write("other-both.pem", otherCertificate + "\n" + otherKey);
        _client = new RegistryClient(
            Bench.Impatient with
            {
                RetryLimit = 0,
                HostsDirectory = Path.Combine(_folder, "certs.d"),
                DockerConfigPath = Path.Combine(_folder, "none"),
                Clock = _clock,
                Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
            },
            new CapturedLogs());

        void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);
    }

    // For the registry at this name: its own port, https.
    private string Configure(string name, string settings)
    {
        var port = new Uri("https://" + _server.Host).Port;
        var directory = Directory.CreateDirectory(Path.Combine(_folder, "certs.d", $"{name}_{port}_")).FullName;
        foreach (var file in Directory.EnumerateFiles(_folder))
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)), overwrite: true);
        File.WriteAllText(Path.Combine(directory, "hosts.toml"), $"server = \"https://{name}:{port}\"\n{settings}\n");
        return directory;
    }

    private async Task ReadAsync(string name)
    {
        var port = new Uri("https://" + _server.Host).Port;
        var reference = ImageReference.Parse($"{name}:{port}/{Repository}:latest");
        var blob = _client.OpenBlob(reference, Digest.OfSha256(_content), _content.Length);
        await using var stream = await blob.OpenExactRangeAsync(1000, 500, ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(_content[1000..1500], await Bench.ReadAllAsync(stream));
    }

    private async Task<RegistryException> RefusedAsync(string name)
    {
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(name));
        Assert.Contains("no secure connection", error.Message, StringComparison.Ordinal);
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        return error;
    }
}
