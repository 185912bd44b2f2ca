using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// The ways to a token, and what a token service or a challenge may do wrong on them.
public sealed class TokenServiceTests
{
    private const string Username = "someone";
    private const string Password = "password-0815";

    private static readonly TestRegistryOptions Private = new() { Auth = TestAuthMode.Bearer, Username = Username, Password = Password };

    [Fact]
    public void A_refused_refresh_token_does_not_take_its_successor_along()
    {
        var (tokens, challenge, login) = (
            new RefreshTokens(), new AuthenticationChallenge("bearer", new Dictionary<string, string>()), Credentials.Of("me", "secret"));
        tokens.Keep("host", challenge, login, "first");
        tokens.Keep("host", challenge, login, "second");
        tokens.Forget("host", challenge, "first");
        Assert.Equal("second", tokens.Find("host", challenge, login));
        tokens.Forget("host", challenge, "second");
        Assert.Null(tokens.Find("host", challenge, login));
    }

    [Fact]
    public async Task A_service_that_knows_POST_alone_is_found_out_once()
    {
        await using var bench = await Bench.StartAsync(Private with { PasswordsByPost = true });
        bench.WriteDockerConfig(Username, Password);
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("GET POST", Methods(bench));
        Assert.Contains("grant_type=password&username=someone&password=password-0815&service=test registry", bench.Server.Requests.Last(
            r => r.Kind == TestRequestKind.Token).Form, StringComparison.Ordinal);

        bench.Server.Tokens.RevokeAll();
        bench.Server.ClearLog();
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("POST", Methods(bench));
    }

    [Fact]
    public async Task A_refresh_token_that_is_handed_back_replaces_the_password()
    {
        await using var bench = await Bench.StartAsync(Private with { HandsOutRefreshTokens = true });
        bench.WriteDockerConfig(Username, Password);
        for (var i = 0; i < 3; i++)
        {
            await bench.AssertReadsAsync(0, 1);
            bench.Server.Tokens.RevokeAll();
        }

        Assert.Equal("GET POST POST", Methods(bench));
        Assert.All(bench.Server.Requests.Where(r => r.Method == "POST"), r =>
        {
            Assert.Contains("grant_type=refresh_token&refresh_token=refresh-", r.Form, StringComparison.Ordinal);
            Assert.DoesNotContain(Password, r.Form, StringComparison.Ordinal);
            Assert.Null(r.Authorization);
        });
    }

    [Fact]
    public async Task A_refresh_token_that_is_refused_is_forgotten_and_the_password_shown_again()
    {
        await using var bench = await Bench.StartAsync(Private with { HandsOutRefreshTokens = true });
        bench.WriteDockerConfig(Username, Password);
        await bench.AssertReadsAsync(0, 1);
        bench.Server.Tokens.RevokeAll();
        bench.Server.Tokens.RevokeRefreshTokens();
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("GET POST GET", Methods(bench));
    }

    [Fact]
    public async Task A_refresh_token_of_another_login_is_not_used()
    {
        await using var bench = await Bench.StartAsync(Private with { HandsOutRefreshTokens = true });
        bench.WriteDockerConfig(Username, Password);
        await bench.AssertReadsAsync(0, 1);
        bench.Server.Tokens.RevokeAll();
        bench.WriteDockerConfig(Username, "another password");
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(RegistryFailure.Unauthorized, error.Failure);
        Assert.Equal("GET GET", Methods(bench));
    }

    [Theory]
    [InlineData(404, "GET")]
    [InlineData(405, "GET")]
    [InlineData(400, "GET")]
    [InlineData(401, "GET")]
    [InlineData(403, null)]
    public async Task A_service_that_refuses_the_POST_of_an_identity_token_is_asked_by_GET_with_the_password(int status, string? then)
    {
        await using var bench = await Bench.StartAsync(Private with { IdentityToken = "identity" });
        bench.Client.UseCredentials(bench.Reference, Username, Password); // Comes first: proves that the file is not asked.
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("GET", Methods(bench));
        bench.Server.ClearLog();

        File.WriteAllText(
            bench.DockerConfigPath,
            $$$$"""{"auths":{"{{{{bench.Server.Host}}}}":{"username":"{{{{Username}}}}","password":"{{{{Password}}}}","identitytoken":"identity"}}}""");
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Token) with { When = r => r.Method == "POST" });
        using var client = new RegistryClient(bench.Options, bench.Log);
        var read = bench.ReadAsync(0, 1, client.OpenBlob(bench.Reference, bench.Blob.Digest, bench.Blob.Size));
        if (then is null)
            Assert.Equal(status, (int)(await Assert.ThrowsAsync<RegistryException>(() => read)).StatusCode!);
        else
            await read;
        Assert.Equal(("POST " + then).TrimEnd(), Methods(bench));
    }

    [Fact]
    public async Task Credentials_handed_over_later_replace_the_token_that_was_got_without_them()
    {
        await using var bench = await Bench.StartAsync(Private);
        await bench.FailsAsync(0, 1);
        bench.Client.UseCredentials(bench.Reference, Username, Password);
        await bench.AssertReadsAsync(0, 1);
        bench.Server.ClearLog();

        // The same again changes nothing; others are shown at once.
        bench.Client.UseCredentials(bench.Reference, Username, Password);
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Blob", bench.TakeRequests());
        bench.Client.UseCredentials(bench.Reference, Username, "wrong");
        Assert.Equal(RegistryFailure.Unauthorized, (await bench.FailsAsync(0, 1)).Failure);
        Assert.DoesNotContain(Password, bench.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/html", "<html>please log in</html>", "is not a token document but text/html")]
    [InlineData("application/json", "{\"token\":", "is not a token document but application/json")]
    [InlineData("application/json", "{\"token\":\"a\\u0000b\"}", "cannot be sent in a header")]
    [InlineData("application/json", "{\"token\":\"a\\u00e9b\"}", "cannot be sent in a header")]
    [InlineData("application/json", "{\"token\":\"a b\"}", "cannot be sent in a header")]
    [InlineData("text/plain", "{\"access_token\":\"\",\"token\":\"\"}", "holds no token")]
    public async Task What_is_no_token_is_told_with_host_scope_and_cause(string type, string body, string cause)
    {
        await using var bench = await Bench.StartAsync(Private);
        bench.Server.Faults.Add(Fault.Status(200, TestRequestKind.Token, body: body) with { ContentType = type });
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal((RegistryFailure.Protocol, bench.Server.TokenHost), (error.Failure, error.Host));
        Assert.StartsWith($"{bench.Server.TokenHost}: token for repository:library/python:pull: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_too_long_for_a_header_is_refused()
    {
        await using var bench = await Bench.StartAsync(Private);
        bench.Server.Faults.Add(
            Fault.Status(200, TestRequestKind.Token, body: $$"""{"token":"{{new string('x', RegistryLimits.TokenCharsMax + 1)}}"}"""));
        Assert.Contains("cannot be sent in a header", (await bench.FailsAsync(0, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_identity_token_is_not_posted_along_a_redirect()
    {
        await using var bench = await Bench.StartAsync(Private with { IdentityToken = "identity-4711" });
        bench.Client.UseCredentials(bench.Reference, null, "identity-4711");
        bench.Server.Faults.Add(Fault.Status(307, TestRequestKind.Token)
            with { Headers = new Dictionary<string, string> { ["Location"] = $"http://{bench.Server.CdnHost}/token" } });
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(307, (int)error.StatusCode!);
        Assert.Equal("Ping Token", bench.TakeRequests());
    }

    [Theory]
    [InlineData("ftp://host/token", "is not an http URL")]
    [InlineData("/token", "is not an http URL")]
    [InlineData("http://someone:secret@host/token", "names a user")]
    public async Task A_realm_that_is_no_place_for_credentials_is_refused(string realm, string cause)
    {
        await using var bench = await Bench.StartAsync(Private);
        bench.WriteDockerConfig(Username, Password);
        bench.Server.Faults.Add(Challenge(TestRequestKind.Ping, $"Bearer realm=\"{realm}\""));
        var error = await bench.FailsAsync(0, 1);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message + bench.Log.Text, StringComparison.Ordinal);
        Assert.Equal("Ping", bench.TakeRequests());
    }

    [Fact]
    public async Task Of_several_challenges_in_several_headers_the_one_we_can_meet_is_met()
    {
        await using var bench = await Bench.StartAsync(Private);
        bench.WriteDockerConfig(Username, Password);
        bench.Server.Faults.Add(Challenge(
            TestRequestKind.Ping, $"Negotiate, Basic realm=\"x\", Bearer realm=\"http://{bench.Server.TokenHost}/token\",service=\"test " +
                $"registry\", Digest qop=\"auth,auth-int\""));
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Ping Token Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_host_we_are_led_to_gets_an_anonymous_token_of_its_own_if_it_wants_one()
    {
        await using var bench = await Bench.StartAsync(Private with { RedirectBlobs = true });
        bench.WriteDockerConfig(Username, Password);
        bench.Server.Faults.Add(Challenge(TestRequestKind.Cdn,
            $"Bearer realm=\"http://{bench.Server.CdnHost}/token\",service=\"stranger\",scope=\"storage:read\"") with { Times = 1 });
        bench.Server.Faults.Add(Fault.Status(
            200, TestRequestKind.Cdn, times: 1, body: """{"token":"for-strangers"}""") with { When = r => r.Path == "/token" });
        bench.Server.Faults.Add(
            Fault.Status(200, TestRequestKind.Cdn, body: "x") with { When = r => r.Authorization == "Bearer for-strangers" });
        await bench.ReadAsync(0, 1, bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, null));
        Assert.Equal("Ping Token Blob Cdn Cdn Cdn", string.Join(' ', bench.Server.Requests.Select(r => r.Kind)));
        var atStranger = bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Cdn).ToArray();
        Assert.Equal([null, null, "Bearer for-strangers"], atStranger.Select(r => r.Authorization));
        Assert.Equal("?service=stranger&scope=storage%3Aread", atStranger[1].Query);
        Assert.DoesNotContain(Password, string.Concat(atStranger.Select(r => r.Query + r.Form)), StringComparison.Ordinal);

        // What was ours is ours still.
        bench.Server.ClearLog();
        Assert.NotNull(await bench.Client.FindManifestAsync(bench.Reference, CancellationToken.None) is null ? "nothing there" : "");
        Assert.Equal("Manifest", bench.TakeRequests());
    }

    [Theory]
    [InlineData("Basic realm=\"give me\"")]
    [InlineData("nonsense")]
    public async Task A_host_we_are_led_to_gets_nothing_else(string challenge)
    {
        await using var bench = await Bench.StartAsync(Private with { RedirectBlobs = true });
        bench.WriteDockerConfig(Username, Password);
        bench.Server.Faults.Add(Challenge(TestRequestKind.Cdn, challenge));
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal((RegistryFailure.Unauthorized, bench.Server.CdnHost), (error.Failure, error.Host));
        Assert.All(bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Cdn), r => Assert.Null(r.Authorization));
    }

    [Fact]
    public async Task A_ping_that_is_led_elsewhere_brings_no_challenge_home()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions());
        bench.WriteDockerConfig(Username, Password);
        bench.Server.Faults.Add(Fault.Status(307, TestRequestKind.Ping)
            with { Headers = new Dictionary<string, string> { ["Location"] = $"http://{bench.Server.CdnHost}/v2/" } });
        bench.Server.Faults.Add(Challenge(TestRequestKind.Cdn, "Basic realm=\"give me\""));
        await bench.AssertReadsAsync(0, 1);
        Assert.All(bench.Server.Requests, r => Assert.Null(r.Authorization));
    }

    [Fact]
    public async Task A_megabyte_of_headers_is_an_error_that_says_so()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(
            new Fault { Kind = TestRequestKind.Blob, Headers = new Dictionary<string, string> { ["X-Long"] = new string('x', 1 << 20) } });
        var error = await bench.FailsAsync(0, 1);
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Contains("header is longer than 64 KiB", error.Message, StringComparison.Ordinal);
        Assert.Contains(bench.Blob.Digest.ToString(), error.Message, StringComparison.Ordinal);
    }

    private static Fault Challenge(TestRequestKind kind, string challenge) =>
        Fault.Status(401, kind) with { Headers = new Dictionary<string, string> { ["WWW-Authenticate"] = challenge } };

    private static string Methods(Bench bench) =>
        string.Join(' ', bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Token).Select(r => r.Method));
}
