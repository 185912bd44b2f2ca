using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging;
using Xunit.Abstractions;

namespace LazySnapshotter.Registry.Tests.Faults;

// Every secret there is, through every door there is: all ways to log in, faults that make everything be repeated and
// learned anew, restarts, and hosts that send back what they were sent, in bodies, headers and lines that are not HTTP. Then
// ten megabytes of log at its most talkative, exceptions with all inner ones included, are searched for all of them.
public sealed class SecretsTests(ITestOutputHelper output)
{
    private const int LogBytes = 10 << 20;
    private const int ReadsAtOnce = 8;
    private const int OperationsPerRound = 160;

    private const string Username = "someone";
    private const string Password = "correct horse: battery & \"staple\" \u00e4/+?";
    private const string WrongPassword = "an old and wrong password: 12345";
    private const string IdentityToken = "identity-token-of-someone/+=0123456789";
    private const string Cookie = "session-cookie-0123456789abcdef";

    private static readonly TestRegistryOptions[] Registries =
    [
        new() { Auth = TestAuthMode.Bearer, RedirectBlobs = true },
        new() { Auth = TestAuthMode.Bearer, RedirectBlobs = true, Username = Username, Password = Password },
        new() { Auth = TestAuthMode.Bearer, RedirectBlobs = false, Username = Username, Password = Password,
            IdentityToken = IdentityToken },
        new() { Auth = TestAuthMode.Basic, RedirectBlobs = true, Username = Username, Password = Password },
        new() { Auth = TestAuthMode.Bearer, RedirectBlobs = true, Username = Username, Password = Password, Tls = true },
    ];

    [Fact]
    public async Task No_secret_is_in_ten_megabytes_of_log()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var log = new CapturedLogs();
        var secrets = new List<string>();
        var seen = 0;
        for (var round = 0; log.Length < LogBytes; round++)
        {
            await using var bench = await Bench.StartAsync(
                Registries[round % Registries.Length] with { Seed = seed + round }, Bench.Impatient with { PlainHttp = host =>
                    !Registries[round % Registries.Length].Tls, RetryDelayMax = TimeSpan.FromMilliseconds(3) }, log, remembers: true);
            LogIn(bench, round);
            AddFaults(bench.Server.Faults);
            await WorkAsync(bench, log, random);
            secrets.AddRange(bench.Server.Tokens.Secrets);
            seen += bench.Server.Requests.Count;
            Assert.All(bench.Server.Requests, request => Assert.Null(request.Cookie));
        }

        secrets.AddRange([Cookie, WrongPassword, Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{WrongPassword}"))]);
        var text = log.Text;
        output.WriteLine($"{text.Length} characters of log, {seen} requests, {secrets.Distinct().Count()} secrets");
        Assert.True(secrets.Distinct().Count() > 500, "hardly any secret was handed out: not a test");
        Assert.Contains("(removed)", text, StringComparison.Ordinal);
        Bench.AssertNoSecretIn(text, secrets);
    }

    [Theory]
    [InlineData("token-abcdef0123456789")]
    [InlineData("correct horse: battery & \"staple\" \u00e4/+?")]
    public void The_search_finds_a_secret_in_every_form(string secret)
    {
        var utf8 = Encoding.UTF8.GetBytes(secret);
        foreach (var form in (ReadOnlySpan<string>)[
            secret, Uri.EscapeDataString(secret), Convert.ToBase64String(utf8), Convert.ToBase64String([.. "someone:"u8, .. utf8]),
            Convert.ToBase64String([.. "a:"u8, .. utf8, .. "xyz"u8]), System.Text.Json.JsonSerializer.Serialize(secret)])
        {
            Assert.NotEmpty(SecretScan.Find([secret], $"some text {form} and more"));
        }

        Assert.Empty(SecretScan.Find([secret], "some text without it"));
    }

    private static void LogIn(Bench bench, int round)
    {
        if (bench.Server.Options.IdentityToken is not null)
            File.WriteAllText(
                bench.DockerConfigPath, $$$$"""{"auths":{"{{{{bench.Server.Host}}}}":{"identitytoken":"{{{{IdentityToken}}}}"}}}""");
        else
            bench.WriteDockerConfig(Username, round / Registries.Length % 4 == 3 ? WrongPassword : Password);
    }

    private static void AddFaults(FaultPlan faults)
    {
        foreach (var status in (ReadOnlySpan<int>)[400, 401, 403, 404, 429, 500, 503])
        {
            faults.Add(new Fault { StatusCode = status, BodyFor = EchoInJson, ContentType = "application/json", Probability = 0.02 });
            faults.Add(new Fault { StatusCode = status, BodyFor = EchoInWords, Probability = 0.02 });
            faults.Add(new Fault { StatusCode = status, BodyFor = EchoInXml, ContentType = "application/xml", Probability = 0.01 });
        }

        faults.Add(new Fault { StatusCode = 200, BodyFor = EchoInJson, Probability = 0.01 });
        faults.Add(new Fault { Raw = request => Latin1($"{OneLine(EchoInWords(request))}\r\n\r\n"), Probability = 0.01 });
        faults.Add(new Fault { Raw = request =>
            Latin1($"HTTP/1.1 200 {OneLine(EchoInWords(request))}\r\nContent-Length: 1\r\n\r\nx"), Probability = 0.01 });
        faults.Add(
            new Fault { Raw = request => Latin1($"HTTP/1.1 200 OK\r\n{OneLine(EchoInWords(request))}\r\n\r\n"), Probability = 0.01 });
        faults.Add(new Fault { Raw = request =>
            Latin1($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{OneLine(EchoInWords(request))}\r\n"), Probability = 0.01 });
        foreach (var header in (ReadOnlySpan<string>)["Content-Encoding", "Content-Type", "Content-Range", "Docker-Content-Digest",
            "WWW-Authenticate", "Retry-After", "Warning"])
        {
            faults.Add(new Fault
            {
                Raw = request => Latin1($"HTTP/1.1 {(header == "WWW-Authenticate" ? 401 : 206)} " +
                    $"OK\r\n{header}: {OneLine(Secret(request))}\r\nContent-Length: 2\r\n\r\n{{}}"),
                Probability = 0.005,
            });
        }

        // Places with secrets where URLs have them. A path is no such part: it is logged.
        foreach (var place in (ReadOnlySpan<string>)["http://someone:{0}@127.0.0.1:1/blob?sig={0}", "/v2/elsewhere?token={0}"])
        {
            faults.Add(new Fault
            {
                Raw = request => Latin1(
                    $"HTTP/1.1 307 OK\r\nLocation: {string.Format(null, place, Uri.EscapeDataString(Secret(request)))}\r\n" +
                    "Content-Length: 0\r\n\r\n"),
                Probability = 0.005,
            });
        }

        faults.Add(new Fault { ResetBeforeAnswer = true, Probability = 0.02 });
        faults.Add(new Fault { TruncateAt = 100, Probability = 0.02 });
        faults.Add(new Fault { Headers = new Dictionary<string, string> { ["Set-Cookie"] = $"session={Cookie}; Path=/" } });
    }

    // Reads, resolves, and logs what fails, as those who use a client do; in between everything given out is revoked.
    private static async Task WorkAsync(Bench bench, CapturedLogs log, Random random)
    {
        bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob]);
        var blobs = Enumerable.Range(0, 40)
            .Select(i => bench.Server.Content.AddBlob(Bench.Repository, [.. bench.Content.AsSpan(i * 1000, 4000)])).ToList();
        var operations = Enumerable.Range(0, OperationsPerRound)
            .Select(_ => (What: random.Next(20), Blob: blobs[random.Next(blobs.Count)], Offset: random.Next(3000))).ToList();
        using var restarted = new RegistryClient(bench.Options, log);
        await Parallel.ForEachAsync(
            operations, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce }, async (operation, cancellation) =>
        {
            var client = operation.What % 2 == 0 ? bench.Client : restarted;
            try
            {
                switch (operation.What)
                {
                    case 0:
                        bench.Server.Tokens.RevokeAll();
                        break;
                    case 1:
                        bench.Server.SignedUrls.RevokeAll();
                        break;
                    case 2 or 3:
                        await client.ResolveAsync(bench.Reference, Platform.Current, cancellation);
                        break;
                    case 4 or 5:
                        await client.GetBlobBytesAsync(bench.Reference, operation.Blob, cancellation);
                        break;
                    default:
                        await bench.ReadAsync(
                            operation.Offset, 1000, client.OpenBlob(bench.Reference, operation.Blob.Digest, operation.Blob.Size));
                        break;
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                log.Log(LogLevel.Error, default, operation.What, e, static (what, _) => $"operation {what} failed");
            }
        });
    }

    // What the request carried; the whole of it, and the secret part alone.
    private static string EchoInWords(TestRequest request) =>
        $"cannot serve {request.Method} http://{request.Host}{request.Path}{request.Query} for Authorization: {request.Authorization} " +
            $"form {request.Form} cookie {request.Cookie}, "
        + $"that is {Secret(request)}, escaped {Uri.EscapeDataString(Secret(request))}";

    private static string EchoInJson(TestRequest request) =>
        $$"""{"errors":[{"code":{{Json(Secret(request))}},"message":{{Json(EchoInWords(request))}}}],"details":{{Json(EchoInWords(request))}}}""";

    private static string EchoInXml(TestRequest request) =>
        $"<?xml version=\"1.0\"?><Error><Code>{Xml(Secret(request))}</Code><Message>{Xml(EchoInWords(request))}</Message>" +
        $"<StringToSign>{Xml(request.Query)}</StringToSign></Error>";

    private static string Secret(TestRequest request) =>
        request.Authorization?.Split(' ', 2)[^1] ?? (request.Query.Contains("Signature=", StringComparison.Ordinal)
            ? request.Query[(request.Query.LastIndexOf('=') + 1)..]
            : "nothing");

    private static string Json(string text) => System.Text.Json.JsonSerializer.Serialize(text);

    private static string Xml(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    private static string OneLine(string text) => text.Replace('\r', ' ').Replace('\n', ' ');

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);
}
