using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// The peers most registries are made of, none of them ours: distribution's registry with passwords or with its blobs
// elsewhere, and nginx in front of it or beside it.
public sealed class NginxTests : IAsyncLifetime
{
    private const string Repository = "team/image";
    private const string Username = "somebody";
    private const string Password = "the password: of nobody";

    // Of the password, at the lowest cost there is.
    private const string Htpasswd = Username + ":$2b$04$bqyvaO2iD3/eWi.Bqy9di.CGBd/Ea/1ZNIvYYjsIt/0orJ7YTI8fu\n";

    private static readonly (int Offset, int Length)[] Ranges = [(0, 1), (65_535, 2), (1000, 200_000), (999_999, 1), (0, 1_000_000)];

    private readonly byte[] _content = new byte[1_000_000];
    private readonly ConcurrentQueue<RegistryHop> _hops = new();
    private readonly CapturedLogs _log = new();
    private readonly TestDirectory _folder = TestDirectory.Create();
    private Descriptor _blob = null!;

    public Task InitializeAsync()
    {
        new Random(11).NextBytes(_content);
        _blob = new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.OfSha256(_content), Size = _content.Length };
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _folder.DisposeAsync();
        Bench.AssertNoSecretIn(_log.Text, [Password, Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}"))]);
    }

    [Fact]
    public async Task Behind_an_nginx_that_ends_TLS_compresses_and_caches_in_slices_a_range_is_a_range()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await PushAsync(registry.Address);
        await using var nginx = await NginxProxy.StartAsync(
            $$"""
            gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;
            location / {
                slice 64k;
                proxy_cache slices;
                proxy_cache_key $uri$slice_range;
                proxy_cache_valid 200 206 1h;
                proxy_set_header Range $slice_range;
                proxy_set_header Host $http_host;
                proxy_http_version 1.1;
                proxy_pass http://{{registry.Address}};
            }
            """,
            "proxy_cache_path FOLDER/cache keys_zone=slices:1m;", useTls: true);
        var trusted = X509CertificateLoader.LoadCertificate(await File.ReadAllBytesAsync(nginx.CertificateFile));
        using var client = Client(new RegistryOptions
        {
            PlainHttp = _ => false,
            ConfigureHandler = handler => handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
                shown is X509Certificate2 certificate && certificate.Equals(trusted),
        });

        await AssertReadsAsync(client, nginx.Address);
        await AssertReadsAsync(client, nginx.Address);
        Assert.Equal(["Ping", .. Enumerable.Repeat("Blob", 2 * Ranges.Length)], _hops.Select(h => h.Kind.ToString()));
        var requests = nginx.AccessLog.Where(line => line.Contains("/blobs/", StringComparison.Ordinal)).ToList();
        Assert.All(requests, line => Assert.Contains(" 206 ", line, StringComparison.Ordinal));
        Assert.All(requests, line => Assert.EndsWith("HTTP/2.0", line, StringComparison.Ordinal));
        Assert.All(requests.Skip(Ranges.Length), line => Assert.Contains(" HIT ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_server_that_the_registry_redirects_to_is_asked_directly_from_the_second_read_on()
    {
        var storage = _folder.MakeDirectory("storage");
        await using var nginx = await NginxProxy.StartAsync($"root {storage};");
        await using var registry = await DockerRegistry.StartAsync(storage: storage, redirectTo: $"http://{nginx.Address}");
        await PushAsync(registry.Address);
        using var client = Client();
        await AssertReadsAsync(client, registry.Address);
        Assert.Equal([registry.Address, registry.Address, .. Enumerable.Repeat(nginx.Address, Ranges.Length)], _hops.Select(h => h.Host));
        Assert.All(nginx.AccessLog, line => Assert.Contains(" 206 ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_server_that_does_without_ranges_serves_them_all_the_same()
    {
        var storage = _folder.MakeDirectory("storage");
        await using var nginx = await NginxProxy.StartAsync($"root {storage}; max_ranges 0;");
        await using var registry = await DockerRegistry.StartAsync(storage: storage, redirectTo: $"http://{nginx.Address}");
        await PushAsync(registry.Address);
        using var client = Client();
        await AssertReadsAsync(client, registry.Address);
        Assert.True(client.OpenBlob(Reference(registry.Address), _blob.Digest, _blob.Size).IgnoresRange);
        Assert.All(nginx.AccessLog, line => Assert.Contains(" 200 ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_proxy_that_says_503_and_when_is_waited_for()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await PushAsync(registry.Address);
        await using var nginx = await NginxProxy.StartAsync(
            $$"""
            location / {
                if (-f FOLDER/busy) { return 503; }
                add_header Retry-After 1 always;
                proxy_set_header Host $http_host;
                proxy_pass http://{{registry.Address}};
            }
            """);
        using var client = Client();
        await AssertReadsAsync(client, nginx.Address);
        _hops.Clear();

        var busy = Path.Combine(nginx.Folder, "busy");
        await File.WriteAllTextAsync(busy, "");
        var reading = ReadAsync(client, nginx.Address, 1000, 1000);
        while (!_hops.Any(h => h.StatusCode == HttpStatusCode.ServiceUnavailable))
            await Task.Delay(5);
        File.Delete(busy);
        Assert.Equal(_content[1000..2000], await reading);
        Assert.Equal([HttpStatusCode.ServiceUnavailable, HttpStatusCode.PartialContent], _hops.Select(h => h.StatusCode!.Value).Distinct());
    }

    [Fact]
    public async Task A_proxy_without_its_registry_says_502_and_the_error_says_so()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await PushAsync(registry.Address);
        await using var nginx = await NginxProxy.StartAsync(
            $"location / {{ proxy_set_header Host $http_host; proxy_pass http://{registry.Address}; }}");
        using var client = Client();
        await AssertReadsAsync(client, nginx.Address);
        _hops.Clear();
        await registry.DisposeAsync();

        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, nginx.Address, 0, 1000));
        Assert.Equal(RegistryFailure.Unavailable, error.Failure);
        Assert.Equal($"{nginx.Address}: blob {_blob.Digest} bytes 0-999: 502 Bad Gateway: (an HTML page)", error.Message);
        Assert.Equal(6, _hops.Count);
    }

    [Fact]
    public async Task A_password_opens_docker_registry_and_a_wrong_one_is_an_error_that_says_so()
    {
        await using var registry = await DockerRegistry.StartAsync(htpasswd: Htpasswd);
        using (var anonymous = Client())
            await AssertRefusedAsync(anonymous, registry.Address);
        using (var mistaken = Client(LogIn(registry.Address, "wrong password")))
            await AssertRefusedAsync(mistaken, registry.Address);

        using var client = Client(LogIn(registry.Address, Password));
        await PushAsync(registry.Address, client);
        _hops.Clear();
        await AssertReadsAsync(client, registry.Address);
        Assert.Equal(Ranges.Length, _hops.Count);
    }

    private async Task AssertRefusedAsync(RegistryClient client, string address)
    {
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, address, 0, 1));
        Assert.Equal(RegistryFailure.Unauthorized, error.Failure);
        Assert.Contains("401 Unauthorized: UNAUTHORIZED: authentication required", error.Message, StringComparison.Ordinal);
    }

    private RegistryOptions LogIn(string address, string password)
    {
        var path = _folder.Combine(Path.GetRandomFileName());
        var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{password}"));
        File.WriteAllText(path, $$$$"""{"auths":{"{{{{address}}}}":{"auth":"{{{{pair}}}}"}}}""");
        return new RegistryOptions { DockerConfigPath = path };
    }

    private RegistryClient Client(RegistryOptions? options = null) => new(
        (options ?? new RegistryOptions()) with
        {
            DockerConfigPath = options?.DockerConfigPath ?? _folder.Combine("none"),
            RetryDelay = TimeSpan.FromMilliseconds(50),
            RetryDelayMax = TimeSpan.FromMilliseconds(200),
            OnHop = _hops.Enqueue,
        },
        _log);

    private async Task PushAsync(string address, RegistryClient? by = null)
    {
        using var client = by is null ? Client() : null;
        await (by ?? client!).PushBlobAsync(Reference(address), BlobContent.OfBytes(_content), null, null, CancellationToken.None);
        _hops.Clear();
    }

    private async Task AssertReadsAsync(RegistryClient client, string address)
    {
        foreach (var (offset, length) in Ranges)
            Assert.Equal(_content[offset..(offset + length)], await ReadAsync(client, address, offset, length));
    }

    private async Task<byte[]> ReadAsync(RegistryClient client, string address, int offset, int length)
    {
        await using var stream = await client.OpenBlob(Reference(address), _blob.Digest, _blob.Size)
            .OpenExactRangeAsync(offset, length, ReadPriority.Demanded(), CancellationToken.None);
        return await Bench.ReadAllAsync(stream);
    }

    private static ImageReference Reference(string address) => ImageReference.Parse($"{address}/{Repository}");
}
