using System.Text;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Faults;

// The vocabulary of the fault matrix: what can go wrong, by the name it has there.
internal static class Mishaps
{
    // Of connections.
    public static readonly Mishap ConnectionReset = new("reset when connecting", OfConnection: ConnectionTrouble.Reset);
    public static readonly Mishap ConnectionClosed = new("closed when connecting", OfConnection: ConnectionTrouble.Close);
    public static readonly Mishap ConnectionSilent = new("silence when connecting", OfConnection: ConnectionTrouble.Silence);
    public static readonly Mishap ConnectionGarbage = new("garbage when connecting", OfConnection: ConnectionTrouble.Garbage);

    // Of answers as a whole.
    public static readonly Mishap NoAnswer = new("reset before the answer", new Fault { ResetBeforeAnswer = true });
    public static readonly Mishap Silence = new("silence before the answer", new Fault { Delay = Timeout.InfiniteTimeSpan });
    public static readonly Mishap HalfAHead = Raw("half a head, then silence", "HTTP/1.1 200 OK\r\nContent-Le");
    public static readonly Mishap NotHttp = Raw("an answer that is not HTTP", "220 mail.example ESMTP\r\n\r\n");
    public static readonly Mishap TwoLengths = Raw(
        "two Content-Lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello");
    public static readonly Mishap BadChunk = Raw("a chunk of nonsense",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1000-200999/300000\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n");
    public static readonly Mishap Http10 = new("HTTP/1.0, ended by closing", new Fault { Http10 = true });
    public static readonly Mishap ClosesAfterwards = new("closes after each answer", new Fault().With("Connection", "close"));
    public static readonly Mishap HugeHeader = new("a header of 1 MB", new Fault().With("X-Long", new string('x', 1 << 20)));
    public static readonly Mishap ManyHeaders = new("a head of 1 MB in 1000 headers",
        new Fault { Headers = Enumerable.Range(0, 1000).ToDictionary(i => $"X-{i}", _ => new string('x', 1000)) });
    public static readonly Mishap SetsACookie = new("a cookie", new Fault().With("Set-Cookie", "session=1234567890abcdef; Path=/"));

    // Of bodies.
    public static readonly Mishap BodyReset = new("reset inside the body", new Fault { ResetAt = 50_000 });
    public static readonly Mishap BodyTruncated = new("closed inside the body", new Fault { TruncateAt = 50_000 });
    public static readonly Mishap BodyTruncatedSoon = new("closed after 10 bytes of the body", new Fault { TruncateAt = 10 });
    public static readonly Mishap BodyShort = new("a body of no announced length that ends early", new Fault { EndAt = 50_000 });
    public static readonly Mishap BodyEmpty = new("a body that ends at once", new Fault { EndAt = 0 });
    public static readonly Mishap BodyStalls = new("silence inside the body", new Fault { StallAt = 50_000 });
    public static readonly Mishap BodyEndless = new("an endless body", new Fault { EndlessBody = true });
    public static readonly Mishap BodyLonger = new("more bytes than announced", new Fault { SurplusBytes = 1000 });
    public static readonly Mishap Trickle = new("a trickle", new Fault { BytesPerSecond = 1000 });
    public static readonly Mishap RangeIgnored = new("200 for a range", new Fault { IgnoreRange = true });
    public static readonly Mishap RangeIgnoredThenReset = new(
        "200 for a range, reset inside", new Fault { IgnoreRange = true, ResetAt = 150_000 });
    public static readonly Mishap Multipart = new("206 in several parts", new Fault { Multipart = true });
    public static readonly Mishap NoContentRange = new("206 without Content-Range", new Fault { WithoutHeaders = ["Content-Range"] });
    public static readonly Mishap Gzip = new("compressed unasked", new Fault().With("Content-Encoding", "gzip"));
    public static readonly Mishap Compressed = new(
        "really compressed unasked", new Fault { Compresses = "gzip", IgnoreRange = true, WithoutHeaders = ["Accept-Ranges"] });
    public static readonly Mishap SinglePart = new("206 in one part", new Fault { Multipart = true, SinglePart = true });
    public static readonly Mishap PartAsWhole = new("200 with the part alone", new Fault { PartAsWhole = true });
    public static readonly Mishap PartWithStatus200 = new(
        "200 with the part and its Content-Range", new Fault { PartAsWhole = true }.With("Content-Range", "bytes 1000-200999/300000"));
    public static readonly Mishap EndlessError = new("404 with an endless body", new Fault { StatusCode = 404, EndlessBody = true });
    public static readonly Mishap Html200 = Html(200);

    // Of redirects.
    public static readonly Mishap RedirectLoop = new("a redirect to itself", new Fault { RedirectLoop = true });
    public static readonly Mishap RedirectWithoutLocation = new("a redirect without Location", Fault.Status(307));
    public static readonly Mishap RedirectToFtp = RedirectTo("ftp://127.0.0.1/blob");
    public static readonly Mishap RedirectToFile = RedirectTo("file:///etc/shadow");
    public static readonly Mishap RedirectToHttp = RedirectTo("http://127.0.0.1:1/blob");
    public static readonly Mishap RedirectToNobody = new(
        "a redirect to where nobody listens", Fault.Redirect("http://127.0.0.1:1/blob?X-Amz-Signature=abcdef"));

    // Of documents.
    public static readonly Mishap WrongDigestClaimed = new(
        "a Docker-Content-Digest that lies", new Fault().With("Docker-Content-Digest", "sha256:" + new string('a', 64)));
    public static readonly Mishap NonsenseDigestClaimed = new(
        "a Docker-Content-Digest of nonsense", new Fault().With("Docker-Content-Digest", "md5:abc"));
    public static readonly Mishap FlippedByte = new("a flipped byte", new Fault { CorruptAt = 20 });
    public static readonly Mishap HalfADocument = new("half a document", new Fault { EndAt = 40 });
    public static readonly Mishap TenMegabytes = Body("10 MB", "application/json", new string(' ', 10 << 20));
    public static readonly Mishap EmptyDocument = Body("an empty document", "application/json", "");
    public static readonly Mishap TokenGarbage = Body("garbage", "application/json", "\u0001\u0002{[");
    public static readonly Mishap TokenEmpty = Body("an empty token", "application/json", """{"token":""}""");
    public static readonly Mishap TokenOfAnotherType = Body("a token that is a list", "application/json", """{"token":["x"]}""");
    public static readonly Mishap TokenWithLineBreak = Body(
        "a token with a line break", "application/json", """{"token":"abc\r\nX-Evil: 1"}""");
    public static readonly Mishap TokenUnknown = Body(
        "a token that the registry does not know", "application/json", """{"token":"unknown-token-000000"}""");

    public static Mishap Status(int status) =>
        new($"{status}", Fault.Status(status, body: """{"errors":[{"code":"SOME_CODE","message":"some words"}]}"""));

    public static Mishap Empty(int status) => new($"{status}", Fault.Status(status));

    public static Mishap RetryAfter(int status, string value) =>
        new($"{status}, Retry-After: {value}", Fault.Status(status).With("Retry-After", value));

    public static Mishap RetryAfter(int status, TimeSpan untilThen) =>
        new($"{status}, Retry-After: a date", Fault.Status(status).With("Retry-After", (DateTimeOffset.UtcNow + untilThen).ToString("R")));

    public static Mishap Html(int status) => new($"{status} with an HTML page", Fault.HtmlPage(status));

    public static Mishap RedirectTo(string location) => new($"a redirect to {location}", Fault.Redirect(location));

    public static Mishap RedirectHops(int hops) => new($"{hops} redirects in a row", new Fault { RedirectHops = hops });

    public static Mishap RangeRefused(int status) =>
        new($"{status} for a range", Fault.Status(status) with { When = request => request.Range is not null });

    public static Mishap ContentRange(string value) => new($"Content-Range: {value}", new Fault().With("Content-Range", value));

    public static Mishap Challenge(string name, string value) => new($"401, {name}", Fault.Status(401).With("WWW-Authenticate", value));

    private static Mishap Body(string name, string type, string body) =>
        new(name, Fault.Status(200, body: body) with { ContentType = type });

    private static Mishap Raw(string name, string answer) =>
        new(name, new Fault { Raw = _ =>
            Encoding.Latin1.GetBytes(answer), StallAt = name.EndsWith("silence", StringComparison.Ordinal) ? 0 : null });
}
