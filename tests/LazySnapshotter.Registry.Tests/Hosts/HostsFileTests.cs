using System.Text;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.TestSupport.Tls;

namespace LazySnapshotter.Registry.Tests.Hosts;

// hosts.toml as containerd's documentation shows it, in words of our own, and what is said of one that is wrong.
public sealed class HostsFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-hosts-").FullName;

    public HostsFileTests()
    {
        using var authority = TestAuthority.Create("test authority");
        var (certificate, key) = authority.ForClient("node");
        File.WriteAllText(Path.Combine(_folder, "ca.pem"), authority.Pem);
        File.WriteAllText(Path.Combine(_folder, "more.pem"), authority.Pem + "\n" + authority.Pem);
        File.WriteAllText(Path.Combine(_folder, "client.cert"), certificate);
        File.WriteAllText(Path.Combine(_folder, "client.key"), key);
        File.WriteAllText(Path.Combine(_folder, "both.pem"), certificate + "\n" + key);
        File.WriteAllText(Path.Combine(_folder, "nothing.pem"), "no certificate");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Hosts_come_in_the_order_of_the_file_and_the_server_after_them()
    {
        var hosts = Read("""
            # Mirrors of Docker Hub.
            server = "https://registry-1.docker.io"

            [host."https://z.example"]
              capabilities = ["pull"]
            [host."http://a.example:5000"]
              capabilities = ["pull", "resolve"]
              [host."http://a.example:5000".header]
                x-custom = ["one", "two"]
            [host."m.example/docker"]
            """);
        Assert.Equal(
            ["https://z.example/ /v2 Pull True docker.io", "http://a.example:5000/ /v2 Pull, Resolve True docker.io",
                "https://m.example/ /docker/v2 All True docker.io", "https://registry-1.docker.io/ /v2 All False "],
            hosts.Endpoints.Select(Show));
        Assert.Equal(["one", "two"], Assert.Single(hosts.Endpoints[1].Headers).Value);
        Assert.Empty(hosts.Oddities);
        Assert.Equal(["z.example", "a.example:5000", "m.example", "docker.io"], hosts.Endpoints.Select(e => e.CredentialsName));
    }

    [Fact]
    public void Without_a_server_the_registry_itself_comes_last()
    {
        var hosts = Read("[host.\"https://mirror.example\"]\n  capabilities = [\"pull\", \"resolve\"]\n", "quay.io");
        Assert.Equal(
            ["https://mirror.example/ /v2 Pull, Resolve True quay.io", "https://quay.io/ /v2 All False "], hosts.Endpoints.Select(Show));
        Assert.Equal("https://registry-1.docker.io/ /v2 All False ", Show(Assert.Single(Read("skip_verify = true").Endpoints)));
    }

    [Fact]
    public void A_server_that_is_another_host_is_told_which_registry_is_meant()
    {
        var hosts = Read("server = \"https://registry.example\"\ncapabilities = ['pull']", "quay.io");
        Assert.Equal("https://registry.example/ /v2 Pull False quay.io", Show(Assert.Single(hosts.Endpoints)));
    }

    [Fact]
    public void The_registry_itself_may_be_listed_as_a_host()
    {
        var hosts = Read(
            "server = \"https://docker.io\"\n[host.\"https://registry-1.docker.io\"]\n  capabilities = [\"pull\", \"resolve\"]\n");
        Assert.Equal(
            ["https://registry-1.docker.io/ /v2 Pull, Resolve False ", "https://docker.io/ /v2 All False "], hosts.Endpoints.Select(Show));
        Assert.Equal(
            "https://quay.io/ /v2 All False ",
            Show(Read("[host.\"https://quay.io:443\"]", "quay.io").Endpoints[0]));
    }

    [Theory]
    [InlineData("https://h.example", false, "/v2")]
    [InlineData("https://h.example/", false, "/v2")]
    [InlineData("https://h.example/v2", false, "/v2")]
    [InlineData("https://h.example/v2/", false, "/v2")]
    [InlineData("https://h.example/us", false, "/us/v2")]
    [InlineData("https://h.example/v2/proxied", false, "/v2/proxied/v2")]
    [InlineData("https://h.example/v2/proxied", true, "/v2/proxied")]
    [InlineData("https://h.example/", true, "")]
    public void Paths(string url, bool overrides, string path) =>
        Assert.Equal(path, Read($"[host.\"{url}\"]\noverride_path = {(overrides ? "true" : "false")}").Endpoints[0].ApiPath);

    [Fact]
    public void Certificates_are_relative_to_the_file_and_come_in_every_documented_form()
    {
        var hosts = Read($$"""
            [host."https://one.example"]
              ca = "ca.pem"
              client = "both.pem"
            [host."https://two.example"]
              ca = ["{{_folder}}/ca.pem", "more.pem"]
              client = ["both.pem", "both.pem"]
              skip_verify = true
            [host."https://three.example"]
              client = [["client.cert", "client.key"], ["both.pem", ""]]
              dial_timeout = "1m30.5s"
            [host."https://four.example"]
            """);
        var connections = hosts.Endpoints.Select(e => e.Connection).ToList();
        Assert.Equal([1, 3, 0, 0, 0], connections.Select(c => c.Authorities.Count));
        Assert.Equal([1, 2, 2, 0, 0], connections.Select(c => c.ClientCertificates.Count));
        Assert.All(connections.SelectMany(c => c.ClientCertificates), c => Assert.True(c.Certificate.HasPrivateKey));
        Assert.Equal([false, true, false, false, false], connections.Select(c => c.SkipVerify));
        Assert.Equal(TimeSpan.FromSeconds(90.5), connections[2].ConnectTimeout);
        Assert.Same(ConnectionSettings.Default, connections[3]);

        // What belongs to a host stays with it; what is trusted goes along.
        Assert.Equal((3, 0, false), (connections[1].Elsewhere.Authorities.Count, connections[1].Elsewhere.ClientCertificates.Count,
            connections[1].Elsewhere.SkipVerify));
        Assert.Same(ConnectionSettings.Default, connections[2].Elsewhere);
    }

    [Theory]
    [InlineData("300ms", 0.3)]
    [InlineData("1h2m3s", 3723)]
    [InlineData("1.5h", 5400)]
    [InlineData("50us", 0.00005)]
    public void Times_as_go_writes_them(string text, double seconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("server = 5", 1, "server: a URL was expected, not an integer")]
    [InlineData("server = \"ftp://x\"", 1, "ftp:// is neither https nor http")]
    [InlineData("server = \"https://\"", 1, "\"https://\" is no URL of a host")]
    [InlineData("server = \"https://me:secret@x.example\"", 1, "do not belong into the URL of x.example")]
    [InlineData("server = \"https://x.example?a=b\"", 1, "has a query")]
    [InlineData("\nhost = 1", 2, "host: a table for each host was expected, not an integer")]
    [InlineData("[host]\nx = 1", 2, "host.\"x\": a table was expected, not an integer")]
    [InlineData("[host.\"ht tp://x\"]", 1, "")]
    [InlineData("[host.\"https://x\"]\ncapabilities = \"pull\"", 2, "capabilities: a list was expected, not a string")]
    [InlineData("[host.\"https://x\"]\n\ncapabilities = [\"pull\", \"fly\"]", 3,
        "the capability \"fly\" is none of pull, resolve, push, referrers")]
    [InlineData("[host.\"https://x\"]\nskip_verify = \"true\"", 2, "skip_verify: true or false was expected, not a string")]
    [InlineData("[host.\"https://x\"]\noverride_path = 1", 2, "override_path: true or false was expected, not an integer")]
    [InlineData("[host.\"https://x\"]\nca = 1", 2, "ca: a path, or a list of them was expected, not an integer")]
    [InlineData("[host.\"https://x\"]\nca = \"\"", 2, "ca: the path is empty")]
    [InlineData("[host.\"https://x\"]\nca = \"gone.pem\"", 2, "gone.pem cannot be read")]
    [InlineData("[host.\"https://x\"]\nca = \"nothing.pem\"", 2, "nothing.pem holds no certificate")]
    [InlineData("[host.\"https://x\"]\nclient = \"client.cert\"", 2, "client.cert: not a client certificate with its private key")]
    [InlineData("[host.\"https://x\"]\nclient = [[\"client.cert\"]]", 2, "a pair of certificate and key was expected")]
    [InlineData("[host.\"https://x\"]\nclient = [[\"client.cert\", \"ca.pem\"]]", 2, "not a client certificate with its private key")]
    [InlineData("[host.\"https://x\"]\ndial_timeout = \"soon\"", 2, "\"soon\" is no length of time")]
    [InlineData("[host.\"https://x\"]\ndial_timeout = 5", 2, "dial_timeout: a string such as \"1s\" was expected")]
    [InlineData("[host.\"https://x\"]\nheader = \"x\"", 2, "header: a table was expected")]
    [InlineData("[header]\n\"a b\" = \"x\"", 2, "\"a b\" is no name of a header")]
    [InlineData("[header]\nRange = \"x\"", 2, "the header Range cannot be set here")]
    [InlineData("[header]\nx = \"a\\nsecret\"", 2, "header x: its value cannot be sent in a header")]
    [InlineData("[host.\"https://x\"]\n[host.\"https://x\"]", 2, "is already defined")]
    [InlineData("[host.\"https://x\"", 1, "Expected `]`")]
    public void What_is_wrong_is_said_with_its_place(string text, int line, string cause)
    {
        var error = Assert.Throws<HostsFileException>(() => Read(text));
        Assert.Equal(line, error.Line);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://h:5000", "skip_verify = true", "https://h:5000/ True")]
    [InlineData("http://h:5000", "skip_verify = false", "https://h:5000/ True")]
    [InlineData("http://h:5000", "ca = 'ca.pem'", "https://h:5000/ True")]
    [InlineData("http://h:5000", "client = 'both.pem'", "https://h:5000/ True")]
    [InlineData("http://h:443", "skip_verify = true", "https://h/ False")]
    [InlineData("http://h:5000", "dial_timeout = '1s'", "http://h:5000/ False")]
    [InlineData("http://h", "skip_verify = true", "http://h/ False")]
    [InlineData("https://h:5000", "skip_verify = true", "https://h:5000/ False")]
    public void Http_with_settings_for_https_may_be_either(string url, string settings, string expected)
    {
        foreach (var endpoint in (EndpointSettings[])[Read(
            $"[host.\"{url}\"]\n{settings}").Endpoints[0], Assert.Single(Read($"server = \"{url}\"\n{settings}").Endpoints)])
            Assert.Equal(expected, $"{endpoint.Origin} {endpoint.SchemeIsGuess}");
    }

    [Fact]
    public void Keys_nobody_knows_are_reported_and_left_alone()
    {
        var hosts = Read("skip_verfy = true\ncapabilities = [\"pull\"]\n[host.\"https://x\"]\nnew_in_containerd_3 = " +
            "1\n[host.\"https://x\".host.\"https://y\"]\n");
        Assert.Equal(2, hosts.Endpoints.Count);
        Assert.Equal(4, hosts.Oddities.Count);
        Assert.Contains("line 1: nothing is known of \"skip_verfy\"", hosts.Oddities);
        Assert.Contains("line 2: capabilities without server have no effect", hosts.Oddities);
        Assert.Contains("line 4: nothing is known of \"new_in_containerd_3\"", hosts.Oddities);
    }

    [Fact]
    public void Too_many_hosts_are_refused()
    {
        var text = string.Concat(Enumerable.Range(0, RegistryLimits.EndpointsMax + 1).Select(i => $"[host.\"https://h{i}\"]\n"));
        Assert.Contains("more than 32 hosts", Assert.Throws<HostsFileException>(() => Read(text)).Message, StringComparison.Ordinal);
    }

    private static string Show(EndpointSettings e) => $"{e.Origin} {e.ApiPath} {e.Capabilities} {e.IsMirror} {e.Namespace}";

    private HostsFile Read(string text, string registry = "docker.io") =>
        HostsFile.Read(Encoding.UTF8.GetBytes(text), registry, _folder, new RegistryOptions());
}
