using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// Who is shown what. The registry gets what its challenge asks for, the token service the credentials, everybody else nothing.
public sealed class AuthTests
{
    private const string Username = "someone";
    private const string Password = "correct horse: battery & staple";

    private static readonly TestRegistryOptions Private = new()
    {
        Auth = TestAuthMode.Bearer,
        RedirectBlobs = true,
        Username = Username,
        Password = Password,
    };

    [Fact]
    public async Task Name_and_password_go_to_the_token_service_and_nowhere_else()
    {
        await using var bench = await Bench.StartAsync(Private);
        bench.WriteDockerConfig(Username, Password);
        await bench.AssertReadsAsync(0, 1000);
        await bench.AssertReadsAsync(1000, 1000);
        Assert.All(bench.Server.Requests, request =>
        {
            var expected = request.Kind switch
            {
                TestRequestKind.Token => "Basic",
                TestRequestKind.Blob => "Bearer",
                _ => null,
            };
            Assert.Equal(expected, request.Authorization?.Split(' ')[0]);
        });
        Assert.Contains("scope=repository%3Alibrary%2Fpython%3Apull", bench.Server.Requests.Single(
            r => r.Kind == TestRequestKind.Token).Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Basic_goes_to_the_registry_and_not_to_where_it_redirects()
    {
        await using var bench = await Bench.StartAsync(Private with { Auth = TestAuthMode.Basic });
        bench.WriteDockerConfig(Username, Password);
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal("Ping Blob Cdn", string.Join(' ', bench.Server.Requests.Select(r => r.Kind)));
        Assert.Null(bench.Server.Requests.First().Authorization);
        Assert.Null(bench.Server.Requests.Last().Authorization);
    }

    [Theory]
    [InlineData(TestAuthMode.Basic)]
    [InlineData(TestAuthMode.Bearer)]
    public async Task A_wrong_password_is_an_error_that_says_401(TestAuthMode mode)
    {
        await using var bench = await Bench.StartAsync(Private with { Auth = mode });
        bench.WriteDockerConfig(Username, "wrong password");
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(RegistryFailure.Unauthorized, error.Failure);
        Assert.Equal(401, (int)error.StatusCode!);
        Assert.Equal(mode == TestAuthMode.Basic ? bench.Server.Host : bench.Server.TokenHost, error.Host);
        Assert.DoesNotContain("wrong password", bench.Log.Text + error, StringComparison.Ordinal);
        Assert.Equal(mode == TestAuthMode.Basic ? "Ping Blob" : "Ping Token", bench.TakeRequests());
    }

    [Theory]
    [InlineData(TestAuthMode.Basic)]
    [InlineData(TestAuthMode.Bearer)]
    public async Task A_new_login_is_seen_without_a_restart(TestAuthMode mode)
    {
        await using var bench = await Bench.StartAsync(Private with { Auth = mode });
        await bench.FailsAsync(0, 1);
        bench.WriteDockerConfig(Username, Password);
        await bench.AssertReadsAsync(0, 1);
    }

    [Fact]
    public async Task An_identity_token_is_posted()
    {
        await using var bench = await Bench.StartAsync(Private with { IdentityToken = "identity-of-someone" });
        File.WriteAllText(
            bench.DockerConfigPath, $$$$"""{"auths":{"https://{{{{bench.Server.Host}}}}/v1/":{"identitytoken":"identity-of-someone"}}}""");
        await bench.AssertReadsAsync(0, 1);
        var request = bench.Server.Requests.Single(r => r.Kind == TestRequestKind.Token);
        Assert.Equal("POST", request.Method);
        Assert.Contains("scope=repository:library/python:pull", request.Form, StringComparison.Ordinal);
        Assert.Null(request.Authorization);
    }

    [Fact]
    public async Task A_service_without_POST_is_asked_by_GET()
    {
        await using var bench = await Bench.StartAsync(Private);
        File.WriteAllText(
            bench.DockerConfigPath,
            $$$$"""{"auths":{"{{{{bench.Server.Host}}}}":{"username":"{{{{Username}}}}","password":"{{{{Password}}}}","identitytoken":"unused"}}}""");
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Ping Token Token Blob Cdn", bench.TakeRequests());
    }

    [Theory]
    [InlineData("""{"access_token":"AAA","token":"BBB"}""", "Bearer AAA")]
    [InlineData("""{"access_token":"","token":"BBB","expires_in":"300"}""", "Bearer BBB")]
    [InlineData("""{"token":"BBB","expires_in":-5,"issued_at":"nonsense"}""", "Bearer BBB")]
    [InlineData("""{"token":"BBB","expires_in":1e300}""", "Bearer BBB")]
    [InlineData("""{"access_token":"AAA"}""", "Bearer AAA")]
    [InlineData("""{"token":"BBB","access_token":null,"expires_in":null}""", "Bearer BBB")]
    [InlineData("""{"token":"BBB","expires_in":"soon","refresh_token":7}""", "Bearer BBB")]
    [InlineData("""{"token":"BBB","expires_in":{},"refresh_token":null}""", "Bearer BBB")]
    [InlineData("""{"token":"BBB","expires_in":"\ud800","refresh_token":"\ud800"}""", "Bearer BBB")]
    public async Task Tokens_come_under_two_names_and_with_odd_lifetimes(string answer, string expected)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(Fault.Status(200, TestRequestKind.Token, body: answer));
        await bench.FailsAsync(0, 1);
        Assert.Equal(expected, bench.Server.Requests.First(r => r.Kind == TestRequestKind.Blob).Authorization);
    }

    [Theory]
    [InlineData("", "not a token document")]
    [InlineData("<html>sign in</html>", "not a token document")]
    [InlineData("[]", "not a token document")]
    [InlineData("null", "no token")]
    [InlineData("{}", "no token")]
    [InlineData("{\"token\":\"a\\r\\nHost: b\"}", "cannot be sent in a header")]
    [InlineData("{\"token\":5}", "not a token document")]
    public async Task A_token_service_that_answers_garbage_is_an_error_that_says_so(string answer, string complaint)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(Fault.Status(200, TestRequestKind.Token, body: answer));
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Equal(bench.Server.TokenHost, error.Host);
        Assert.Contains(complaint, error.Message, StringComparison.Ordinal);
        Assert.Equal("Ping Token", bench.TakeRequests());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_of_ten_megabytes_is_not_read(bool lengthUnannounced)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(Fault.Status(
            200, TestRequestKind.Token, body: $$"""{"token":"{{new string('x', 10 << 20)}}"}""") with { EndlessBody = lengthUnannounced });
        var error = await bench.FailsAsync(0, 1);
        Assert.Contains("longer than 65536 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_refused_at_once_is_replaced_once_and_then_it_is_an_error()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(Fault.Status(401, TestRequestKind.Blob));
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(RegistryFailure.Unauthorized, error.Failure);
        Assert.Equal("Ping Token Blob Token Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_registry_that_wants_another_scope_gets_a_token_for_it_in_front_of_ours()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(Fault.Status(401, TestRequestKind.Blob, times: 1) with
        {
            Headers = new Dictionary<string, string>
            {
                ["WWW-Authenticate"] =
                    $"Bearer realm=\"http://{bench.Server.TokenHost}/token\",service=\"test registry\",scope=\"repository:upstream:pull\"",
            },
        });
        await bench.AssertReadsAsync(0, 1);
        Assert.Contains("scope=repository%3Aupstream%3Apull&scope=repository%3Alibrary%2Fpython%3Apull",
            bench.Server.Requests.Last(r => r.Kind == TestRequestKind.Token).Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_that_answers_the_ping_but_refuses_the_blob_is_shown_what_it_asks_for_then()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        bench.Server.Faults.Add(Fault.Status(200, TestRequestKind.Ping));
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Ping Blob Token Blob", bench.TakeRequests());
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Theory]
    [InlineData("Negotiate")]
    [InlineData("Bearer service=\"no realm\"")]
    [InlineData("=,;\"")]
    public async Task A_challenge_we_cannot_meet_is_an_error_of_what_was_refused(string challenge)
    {
        await using var bench = await Bench.StartAsync();
        var refused = Fault.Status(401).With("WWW-Authenticate", challenge);
        bench.Server.Faults.Add(refused with { Kind = TestRequestKind.Ping });
        await bench.AssertReadsAsync(0, 1);
        bench.Server.Faults.Add(refused with { Kind = TestRequestKind.Blob });
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(RegistryFailure.Unauthorized, error.Failure);
        Assert.Contains("401 Unauthorized, without a Basic or Bearer challenge", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_https_everything_works_and_a_redirect_to_plain_http_is_refused()
    {
        await using var bench = await Bench.StartAsync(
            Private with { Tls = true }, Bench.Impatient with { PlainHttp = _ => false });
        bench.WriteDockerConfig(Username, Password);
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal("Ping Token Blob Cdn", bench.TakeRequests());

        bench.Server.Faults.Add(Fault.Status(307, TestRequestKind.Cdn)
            with { Headers = new Dictionary<string, string> { ["Location"] = "http://127.0.0.1:1/blob?secret=1" } });
        var error = await bench.FailsAsync(0, 1);
        Assert.Contains("from https to plain http at 127.0.0.1:1", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_https_a_realm_in_plain_http_is_refused()
    {
        await using var bench = await Bench.StartAsync(
            Private with { Tls = true }, Bench.Impatient with { PlainHttp = _ => false });
        bench.WriteDockerConfig(Username, Password);
        bench.Server.Faults.Add(Fault.Status(401, TestRequestKind.Ping) with
        {
            Headers = new Dictionary<string, string> { ["WWW-Authenticate"] = $"Bearer realm=\"http://{bench.Server.TokenHost}/token\"" },
        });
        var error = await bench.FailsAsync(0, 1);
        Assert.Contains("is plain http", error.Message, StringComparison.Ordinal);
        Assert.Equal("Ping", bench.TakeRequests());
    }

    [Fact]
    public async Task Https_is_not_given_up_for_http()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { PlainHttp = _ => false });
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task A_token_service_that_redirects_gives_no_credentials_away()
    {
        await using var bench = await Bench.StartAsync(Private);
        bench.WriteDockerConfig(Username, Password);
        bench.Server.Faults.Add(Fault.Status(307, TestRequestKind.Token)
            with { Headers = new Dictionary<string, string> { ["Location"] = $"http://{bench.Server.CdnHost}/token" } });
        await bench.FailsAsync(0, 1);
        Assert.Null(bench.Server.Requests.Single(r => r.Kind == TestRequestKind.Cdn).Authorization);
    }
}
