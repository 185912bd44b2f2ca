using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Hosts;

// Registries of one's own network of which nobody said whether they speak https.
public sealed class SchemeRaceTests
{
    private static readonly Uri _https = new("https://10.1.2.3:5000/");

    [Theory]
    [InlineData("10.0.0.5:5000", true)]
    [InlineData("172.16.0.1", true)]
    [InlineData("172.31.255.255:5000", true)]
    [InlineData("172.32.0.1:5000", false)]
    [InlineData("192.168.31.250:5000", true)]
    [InlineData("192.169.0.1:5000", false)]
    [InlineData("registry.local:5000", true)]
    [InlineData("registry.LOCAL", true)]
    [InlineData("registry.local.example.com", false)]
    [InlineData("local", false)]
    [InlineData("10.0.0.5.example.com", false)]
    [InlineData("docker.io", false)]
    [InlineData("8.8.8.8:5000", false)]
    [InlineData("[fd00::1]:5000", false)]
    [InlineData("127.0.0.1:5000", false)] // Plain http at once, as ever.
    public void Only_names_of_ones_own_network_may_speak_plain_http(string host, bool may) =>
        Assert.Equal(may, EndpointSettings.Upstream(host, new RegistryOptions()).SchemeIsGuess);

    [Fact]
    public void What_is_configured_is_no_guess()
    {
        var configured = EndpointSettings.Upstream(
            "10.0.0.5:5000", new RegistryOptions { PlainHttp = RegistryOptions.PlainHttpOn(["10.0.0.5:5000"]) });
        Assert.Equal(("http", false), (configured.Origin.Scheme, configured.SchemeIsGuess));
        var tls = EndpointSettings.Upstream("10.0.0.5:5000", new RegistryOptions(), hasTlsSettings: true);
        Assert.Equal(("https", false), (tls.Origin.Scheme, tls.SchemeIsGuess));
        Assert.False(EndpointSettings.Configured("10.0.0.5:5000", new Uri("https://10.0.0.5:5000")).SchemeIsGuess);
    }

    [Fact]
    public async Task Https_that_answers_is_all_that_is_asked()
    {
        var asked = new List<Uri>();
        var (answer, winner) = await SchemeRace.RunAsync(
            _https, (uri, _) => Answer(asked, uri, "yes"), TimeProvider.System, CancellationToken.None);
        Assert.Equal(("yes", _https), (answer, winner));
        Assert.Equal([_https], asked);
    }

    [Fact]
    public async Task Https_that_fails_makes_room_for_http_at_once()
    {
        // With a clock that stands still, the head start never ends by itself.
        var asked = new List<Uri>();
        var (_, winner) = await SchemeRace.RunAsync(
            _https, (uri, _) => uri.Scheme == "https" ? Fail(uri) : Answer(asked, uri, "yes"), new StandingClock(), CancellationToken.None);
        Assert.Equal("http://10.1.2.3:5000/", winner.ToString());
    }

    [Fact]
    public async Task Https_that_is_silent_is_overtaken_and_stopped()
    {
        var stopped = new TaskCompletionSource();
        var (_, winner) = await SchemeRace.RunAsync(
            new Uri("https://registry.local/"),
            async (uri, ct) =>
            {
                if (uri.Scheme == "http")
                    return 1;
                try
                {
                    await Task.Delay(Timeout.Infinite, ct);
                }
                finally
                {
                    stopped.SetResult();
                }

                return 0;
            },
            TimeProvider.System, CancellationToken.None);
        Assert.Equal("http://registry.local/", winner.ToString());
        await stopped.Task;
    }

    [Fact]
    public async Task Https_that_is_late_wins_where_http_fails()
    {
        var httpFailed = new TaskCompletionSource();
        var (_, winner) = await SchemeRace.RunAsync(
            _https,
            async (uri, _) =>
            {
                if (uri.Scheme == "http")
                {
                    httpFailed.SetResult();
                    await Fail(uri);
                }

                await httpFailed.Task;
                return "yes";
            },
            TimeProvider.System, CancellationToken.None);
        Assert.Equal(_https, winner);
    }

    [Fact]
    public async Task Both_errors_are_told()
    {
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => SchemeRace.RunAsync(_https, (uri, _) => Fail(uri), TimeProvider.System, CancellationToken.None));
        Assert.Equal("https is broken; in plain http: http is broken", error.Message);
    }

    [Theory]
    [InlineData(TestAuthMode.Basic, "Ping Blob Blob Ping")] // Whose ping does not tell that it wants a login for some things.
    [InlineData(TestAuthMode.Bearer, "Ping Token Blob Blob Ping")]
    public async Task A_plain_registry_on_a_private_address_is_found_remembered_and_shown_no_password(TestAuthMode auth, string requests)
    {
        var isBasic = auth == TestAuthMode.Basic;
        await using var server = await TestRegistry.StartAsync(
            new TestRegistryOptions { Auth = auth, Username = isBasic ? "me" : null, Password = "secret", OpenForReading = isBasic });
        var port = new Uri("http://" + server.Host).Port;
        var folder = Directory.CreateTempSubdirectory("lazysnap-race-").FullName;
        var config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, $$$$"""{"auths":{"10.1.2.3:{{{{port}}}}":{"username":"me","password":"secret"}}}""");
        var log = new CapturedLogs();
        var clock = new MovableClock();
        using var client = new RegistryClient(
            Bench.Impatient with { DockerConfigPath = config, Clock = clock, Dial = DialLoopbackAsync }, log);
        var content = new byte[1000];
        var blob = server.Content.AddBlob("a/b", content);
        var reference = ImageReference.Parse($"10.1.2.3:{port}/a/b:latest");
        for (var i = 0; i < 2; i++)
        {
            await using var stream = await client.OpenBlob(reference, blob.Digest, blob.Size)
                .OpenExactRangeAsync(i, 100, ReadPriority.Demanded(), CancellationToken.None);
            await Bench.ReadAllAsync(stream);
        }

        // Whether it is still so is looked at later, without anybody waiting for it.
        clock.Advance(TimeSpan.FromMinutes(11));
        Assert.NotEmpty(await client.ListTagsAsync(reference with { Repository = "none" }, CancellationToken.None) is [] ? "none" : "");
        while (server.Count(TestRequestKind.Ping) < 2)
            await Task.Delay(1);
        Assert.Equal(requests, string.Join(' ', server.Requests.Where(
            r => r.Kind != TestRequestKind.Tags && !r.Query.Contains("none", StringComparison.Ordinal)).Select(r => r.Kind)));
        Assert.All(server.Requests, r => Assert.DoesNotContain("Basic", r.Authorization ?? "", StringComparison.Ordinal));
        Assert.Single(log.Text.Split('\n'), line => line.Contains("speaks plain http, which nobody configured", StringComparison.Ordinal));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Configured_headers_are_not_sent_in_plain_http_that_was_only_found_out(bool tls)
    {
        await using var server = await TestRegistry.StartAsync(new TestRegistryOptions { Tls = tls });
        var port = new Uri("http://" + server.Host).Port;
        var folder = Directory.CreateTempSubdirectory("lazysnap-race-").FullName;
        var hosts = Directory.CreateDirectory(Path.Combine(folder, $"10.1.2.3_{port}_")).FullName;
        File.WriteAllText(Path.Combine(hosts, "hosts.toml"), "[header]\nx-key = \"secret\"\n");
        using var client = new RegistryClient(
            Bench.Impatient with
            {
                DockerConfigPath = Path.Combine(folder, "none"),
                HostsDirectory = folder,
                Dial = DialLoopbackAsync,
                ConfigureHandler = handler => handler.SslOptions.RemoteCertificateValidationCallback =
                    (_, certificate, _, _) => certificate is X509Certificate2 shown && shown.Equals(server.Certificate),
            },
            new CapturedLogs());
        var blob = server.Content.AddBlob("a/b", new byte[1000]);
        await using var stream = await client.OpenBlob(ImageReference.Parse($"10.1.2.3:{port}/a/b:latest"), blob.Digest, blob.Size)
            .OpenExactRangeAsync(1, 100, ReadPriority.Demanded(), CancellationToken.None);
        await Bench.ReadAllAsync(stream);
        Assert.Equal(2, server.Requests.Count);
        Assert.All(server.Requests, r => Assert.Equal(tls, r.Headers.ContainsKey("x-key")));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(true, 403)]
    [InlineData(true, 500)]
    [InlineData(true, 400)]
    [InlineData(false, 403)]
    [InlineData(false, 500)]
    public async Task A_refused_ping_tells_the_scheme_all_the_same(bool tls, int status)
    {
        await using var server = await TestRegistry.StartAsync(new TestRegistryOptions { Tls = tls });
        server.Faults.Add(Fault.Status(status, TestRequestKind.Ping));
        Assert.Equal(tls ? "https" : "http", await ReadAsync(server));
    }

    [Fact]
    public async Task Plain_http_that_says_it_is_https_is_not_taken_for_it()
    {
        await using var server = await TestRegistry.StartAsync();
        server.Faults.Add(Fault.Status(400, TestRequestKind.Ping, body: "The plain HTTP request was sent to HTTPS port"));
        var error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(server));
        Assert.Contains("no secure connection", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Count(TestRequestKind.Blob));
    }

    /// <returns>The scheme that was spoken.</returns>
    private static async Task<string> ReadAsync(TestRegistry server)
    {
        var hops = new System.Collections.Concurrent.ConcurrentQueue<RegistryHop>();
        var options = Bench.Impatient with
        {
            DockerConfigPath = "/nonexistent",
            Dial = DialLoopbackAsync,
            OnHop = hops.Enqueue,
            ConfigureHandler = handler => handler.SslOptions.RemoteCertificateValidationCallback =
                (_, certificate, _, _) => certificate is X509Certificate2 shown && shown.Equals(server.Certificate),
        };
        using var client = new RegistryClient(options, new CapturedLogs());
        var blob = server.Content.AddBlob("a/b", new byte[1000]);
        var reference = ImageReference.Parse($"10.1.2.3:{new Uri("http://" + server.Host).Port}/a/b:latest");
        await using var stream = await client.OpenBlob(reference, blob.Digest, blob.Size)
            .OpenExactRangeAsync(1, 100, ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(100, (await Bench.ReadAllAsync(stream)).Length);
        return new Uri(hops.Last().Url).Scheme;
    }

    private static async ValueTask<Stream> DialLoopbackAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static Task<string> Answer(List<Uri> asked, Uri uri, string answer)
    {
        asked.Add(uri);
        return Task.FromResult(answer);
    }

    private static Task<string> Fail(Uri uri) =>
        Task.FromException<string>(new RegistryException(RegistryFailure.Unreachable, uri.Authority, $"{uri.Scheme} is broken"));

    private sealed class StandingClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
