using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;
using static LazySnapshotter.Registry.Common.RegistryFailure;
using static LazySnapshotter.Registry.Tests.Faults.Mishaps;
using static LazySnapshotter.Registry.Tests.Faults.Moment;

namespace LazySnapshotter.Registry.Tests.Faults;

// What can go wrong, when, how often, and what comes of it. One row is one test: an operation befallen by the fault, with
// its outcome and every request the server saw; then the same operation after the fault has gone.
//
// Where a connection breaks, the count is of requests that reached the server.
internal static class FaultMatrix
{
    private static readonly Often Once = new(1);
    private static readonly Often Twice = new(2);
    private static readonly Often Thrice = new(3);
    private static readonly Often Always = new(int.MaxValue);

    private static readonly Outcome Served = Outcome.Served;

    public static IEnumerable<FaultRow> Rows =>
        [.. Connecting, .. Learning, .. Documents, .. AtTheRegistry, .. Redirects, .. Elsewhere, .. InBodies, .. MidLife, .. Restarted];

    // At connect, before anything is asked.
    private static FaultTable Connecting => new()
    {
        { Ping, ConnectionReset, Once, Served, "Blob Token Blob Cdn", "Cdn" },
        { Ping, ConnectionReset, Always, Fails(Unreachable, "no response", at: TestRequestKind.Blob), "", "Blob Token Blob Cdn" },
        { Ping, ConnectionClosed, Twice, Served, "Ping Token Blob Cdn", "Cdn" },
        { Ping.Waits(0.5), ConnectionSilent, Once, Served, "Blob Token Blob Cdn", "Cdn" },
        { Ping, ConnectionGarbage, Always, Fails(Protocol, "not HTTP", at: TestRequestKind.Blob), "", "Blob Token Blob Cdn" },
        { Token, ConnectionReset, Once, Served, "Ping Token Blob Cdn", "Cdn" },
        { CdnFirst.Fresh(), ConnectionReset, Twice, Served, "Ping Token Blob*3 Cdn", "Cdn" },
        { CdnFirst.Fresh(), ConnectionReset, Always, Fails(Unreachable, "no response"), "Ping Token Blob*6", "Blob Cdn" },
        { Ping.OverTls(), ConnectionGarbage, Always, Fails(Unreachable, "no secure connection"), "", "Ping Token Blob Cdn" },
        { Ping.OverTls(), ConnectionReset, Once, Served, "Ping Token Blob Cdn", "Cdn" },
        { CdnFirst.Fresh().OverTls(), ConnectionGarbage, Once, Fails(Unreachable, "no secure connection"), "Ping Token Blob", "Blob Cdn" },
    };

    // The ping, which decides nothing and is not repeated, and the token.
    private static FaultTable Learning => new()
    {
        { Ping, Status(200), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Status(401), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Status(403), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Status(404), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, RetryAfter(429, "3600"), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Status(500), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Status(503), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Html(404), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Html200, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Challenge(
            "a challenge from hell", "=,;\"" + new string(',', 500) + "Bearer realm"), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Challenge(
            "a challenge of 60 KB", "Bearer realm=\"" + new string('x', 60_000)), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Challenge("Negotiate", "Negotiate"), Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, NoAnswer, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, Silence, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, RedirectLoop, Always, Served, "Ping*11 Blob Token Blob Cdn", "Cdn" },
        { Ping, RedirectWithoutLocation, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, RedirectToNobody, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping.OverTls(), RedirectToHttp, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, RedirectHops(10), Always, Served, "Ping*11 Token Blob Cdn", "Cdn" },
        { Ping, HugeHeader, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Ping, NotHttp, Always, Served, "Ping Blob Token Blob Cdn", "Cdn" },
        { Token, Status(500), Twice, Served, "Ping Token*3 Blob Cdn", "Cdn" },
        { Token, Status(429), Always, Fails(Unavailable, "429 Too Many Requests"), "Ping Token*6", "Token Blob Cdn" },
        { Token, Status(401), Always, Fails(Unauthorized, "401"), "Ping Token", "Token Blob Cdn" },
        { Token, Status(403), Always, Fails(Unauthorized, "403 Forbidden: SOME_CODE: some words"), "Ping Token", "Token Blob Cdn" },
        { Token, Html(404), Always, Fails(NotFound, "(an HTML page)"), "Ping Token", "Token Blob Cdn" },
        { Token, TokenGarbage, Always, Fails(Protocol, "answer is not a token document"), "Ping Token", "Token Blob Cdn" },
        { Token, Html200, Always, Fails(Protocol, "answer is not a token document"), "Ping Token", "Token Blob Cdn" },
        { Token, TenMegabytes, Always, Fails(Protocol, "longer than 65536 bytes"), "Ping Token", "Token Blob Cdn" },
        { Token, BodyEndless, Always, Fails(Protocol, "longer than 65536 bytes"), "Ping Token", "Token Blob Cdn" },
        { Token, EmptyDocument, Always, Fails(Protocol, "answer is not a token document"), "Ping Token", "Token Blob Cdn" },
        { Token, TokenEmpty, Always, Fails(Protocol, "holds no token"), "Ping Token", "Token Blob Cdn" },
        { Token, TokenOfAnotherType, Always, Fails(Protocol, "answer is not a token document"), "Ping Token", "Token Blob Cdn" },
        { Token, TokenWithLineBreak, Always, Fails(Protocol, "cannot be sent in a header"), "Ping Token", "Token Blob Cdn" },
        { Token, BodyStalls with { OfRequest = new() { StallAt = 5 } }, Once, Served, "Ping Token*2 Blob Cdn", "Cdn" },
        { Token, HalfADocument, Once, Fails(Protocol, "answer is not a token document"), "Ping Token", "Token Blob Cdn" },
        { Token, RedirectLoop, Always, Fails(Protocol, "more than 10 redirects"), "Ping Token*11", "Token Blob Cdn" },
        { Token, RedirectHops(3), Always, Served, "Ping Token*4 Blob Cdn", "Cdn" },
        { Token, RedirectWithoutLocation, Always, Fails(Protocol, "without a usable Location"), "Ping Token", "Token Blob Cdn" },
    };

    // A manifest by its tag.
    private static FaultTable Documents => new()
    {
        { Manifest, Status(404), Always, Fails(NotFound, "404 Not Found: SOME_CODE: some words"), "Manifest", "Manifest" },
        { Manifest, Status(502), Twice, Served, "Manifest*3", "Manifest" },
        { Manifest, WrongDigestClaimed, Always, Fails(Protocol, "have the digest sha256:"), "Manifest", "Manifest" },
        { Manifest, NonsenseDigestClaimed, Always, Served, "Manifest", "Manifest" },
        { Manifest, FlippedByte, Always, Fails(Protocol, "have the digest sha256:"), "Manifest", "Manifest" },
        { Manifest, HalfADocument, Always, Fails(Protocol, "have the digest sha256:"), "Manifest", "Manifest" },
        { Manifest, BodyTruncated with { OfRequest = new() { TruncateAt = 40 } }, Once, Served, "Manifest*2", "Manifest" },
        { Manifest, BodyStalls with { OfRequest = new() { StallAt = 40 } }, Once, Served, "Manifest*2", "Manifest" },
        { Manifest, TenMegabytes, Always, Fails(Protocol, "longer than 4194304 bytes"), "Manifest", "Manifest" },
        { Manifest, BodyEndless, Always, Fails(Protocol, "longer than 4194304 bytes"), "Manifest", "Manifest" },
        { Manifest, Html200, Always, Fails(Protocol, "this is a web page"), "Manifest", "Manifest" },
        { Manifest, Gzip, Always, Served, "Manifest", "Manifest" },
        { Manifest, Compressed, Always, Served, "Manifest", "Manifest" },
        { Manifest, RedirectHops(4), Always, Served, "Manifest*5", "Manifest" },
        { Manifest, Http10, Always, Served, "Manifest", "Manifest" },
        { Manifest, BodyLonger, Always, Served, "Manifest", "Manifest" },
        { Manifest, SetsACookie, Always, Served, "Manifest", "Manifest" },
    };

    // The registry has the blob itself.
    private static FaultTable AtTheRegistry => new()
    {
        { AtRegistry, Status(408), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(429), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(500), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(502), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(503), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(504), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(499), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(522), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, Status(429), Always, Fails(Unavailable, "429 Too Many Requests: SOME_CODE: some words"), "Blob*6", "Blob" },
        { AtRegistry, Status(503), Always, Fails(Unavailable, "503 Service Unavailable: SOME_CODE: some words"), "Blob*6", "Blob" },
        { AtRegistry, RetryAfter(503, "soon"), Once, Served, "Blob*2", "Blob" },
        { AtRegistry, RetryAfter(503, "-5"), Once, Served, "Blob*2", "Blob" },
        { AtRegistry.Patience(0.5), RetryAfter(429, "3600"), Once, Fails(TimedOut, "deadline of 0.5 s"), "Blob", "Blob" },
        { AtRegistry.Patience(0.5), RetryAfter(503, TimeSpan.FromDays(9000)), Once, Fails(TimedOut, "deadline of 0.5 s"), "Blob", "Blob" },
        { AtRegistry, Status(400), Always, Fails(Refused, "400 Bad Request: SOME_CODE: some words"), "Blob*2", "Blob" },
        { AtRegistry, Status(403), Always, Fails(Unauthorized, "403 Forbidden: SOME_CODE: some words"), "Blob*2", "Blob" },
        { AtRegistry, Status(404), Always, Fails(NotFound, "404 Not Found: SOME_CODE: some words"), "Blob", "Blob" },
        { AtRegistry, Status(451), Always, Fails(Refused, "451"), "Blob", "Blob" },
        { AtRegistry, Status(501), Always, Fails(Unavailable, "501"), "Blob*2", "Blob" },
        { AtRegistry, Empty(204), Always, Fails(Protocol, "204 where 200 or 206 belongs"), "Blob*2", "Blob" },
        { AtRegistry, Empty(304), Always, Fails(Protocol, "304"), "Blob", "Blob" },
        { AtRegistry, Status(416), Always, Fails(RangeNotSatisfiable,
            "416 Range Not Satisfiable: the host does not say how long the blob is, its descriptor says 300000"), "Blob*2", "Blob" },
        { AtRegistry, Html(404), Always, Fails(NotFound, "404 Not Found: (an HTML page)"), "Blob", "Blob" },
        { AtRegistry, EndlessError, Always, Fails(NotFound, "404 Not Found"), "Blob", "Blob" },
        { AtRegistry, Html200, Always, Fails(Protocol, "by Content-Length, its descriptor says 300000"), "Blob*2", "Blob" },
        { AtRegistry, NoAnswer, Twice, Served, "Blob*3", "Blob" },
        { AtRegistry, NoAnswer, Always, Fails(Unreachable, "no response"), "Blob*6", "Blob" },
        { AtRegistry.Waits(0.3), Silence, Once, Served, "Blob*2", "Blob" },
        { AtRegistry.Waits(0.1), Silence, Always, Fails(TimedOut, "no response within 0.1 s"), "Blob*6", "Blob" },
        { AtRegistry.Waits(0.3), HalfAHead, Once, Served, "Blob*2", "Blob" },
        { AtRegistry, NotHttp, Always, Fails(Protocol, "not HTTP"), "Blob", "Blob" },
        { AtRegistry, TwoLengths, Always, Fails(Protocol, "5 bytes by Content-Length, its descriptor says 300000"), "Blob*2", "Blob" },
        { AtRegistry, BadChunk, Always, Fails(Unreachable, "after 5 resumptions"), "Blob*6", "Blob" },
        { AtRegistry, HugeHeader, Always, Fails(Protocol, "longer than 64 KiB"), "Blob", "Blob" },
        { AtRegistry, ManyHeaders, Always, Fails(Protocol, "longer than 64 KiB"), "Blob", "Blob" },
        { AtRegistry, Gzip, Always, Served, "Blob", "Blob" },
        { AtRegistry, Compressed, Always, Served, "Blob", "Blob" },
        { AtRegistry, Http10, Always, Served, "Blob", "Blob" },
        { AtRegistry, ClosesAfterwards, Always, Served, "Blob", "Blob" },
        { AtRegistry, BodyLonger, Always, Served, "Blob", "Blob" },
        { AtRegistry, SetsACookie, Always, Served, "Blob", "Blob" },
        { AtRegistry.OverTls(), Status(503), Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry.OverTls(), NoAnswer, Once, Served, "Blob*2", "Blob" },
    };

    // Ranges that are refused, or answered in a way that cannot be used: the blob as a whole serves. And redirects that lead nowhere.
    private static FaultTable Redirects => new()
    {
        { AtRegistry, RangeRefused(400), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, RangeRefused(403), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, RangeRefused(405), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, RangeRefused(416), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, RangeRefused(501), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, RangeRefused(404), Always, Fails(NotFound, "404 Not Found"), "Blob", "Blob" },
        { CdnFirst, RangeRefused(400), Always, Served, "Blob Cdn Blob Cdn", "Cdn" },
        { CdnFirst, RangeRefused(403), Always, Served, "Blob Cdn Blob Cdn", "Cdn" },
        { CdnFirst, RangeRefused(416), Always, Served, "Blob Cdn Blob Cdn", "Cdn" },
        { CdnFirst, RangeRefused(501), Always, Served, "Blob Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, RangeRefused(400), Always, Served, "Cdn Blob Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, RangeRefused(403), Always, Served, "Cdn Blob Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, RangeRefused(416), Always, Served, "Cdn*2", "Cdn" },
        { CdnRemembered, RangeRefused(501), Always, Served, "Cdn*2", "Cdn" },
        { AtRegistry, ContentRange("Bytes 1000-200999/300000"), Always, Served, "Blob", "Blob" },
        { AtRegistry, ContentRange("BYTES  1000-200999 / 300000"), Always, Served, "Blob", "Blob" },
        { AtRegistry, ContentRange("bytes=1000-200999/300000"), Always, Served, "Blob", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-200999/*"), Always, Served, "Blob", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-200999"), Always, Served, "Blob", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-200999/200000"), Always, Served, "Blob", "Blob" },
        { AtRegistry, ContentRange("bytes 0-199999/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1001-200999/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-201000/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-200999/300001"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-200998/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("items 1000-200999/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("nonsense"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-999999999999999999999999/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-9223372036854775807/*"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes */300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-999/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes -1000-200999/300000"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, ContentRange("bytes 1000-200999/2"), Always, Served, "Blob*2", "Blob" },
        { AtRegistry, NoContentRange, Always, Served, "Blob*2", "Blob" },
        { AtRegistry, PartAsWhole, Always, Served, "Blob*2", "Blob" },
        { AtRegistry, PartWithStatus200, Always, Served, "Blob", "Blob" },
        { AtRegistry, Multipart, Always, Served, "Blob*2", "Blob" },
        { AtRegistry, SinglePart, Always, Served, "Blob*2", "Blob" },
        { CdnFirst, NoContentRange, Always, Served, "Blob Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, ContentRange("bytes 0-199999/300000"), Always, Served, "Cdn*2", "Cdn" },
        { Redirect, RedirectLoop, Always, Fails(Protocol, "more than 10 redirects"), "Blob*11", "Blob Cdn" },
        { Redirect, RedirectHops(9), Always, Served, "Blob*10 Cdn", "Cdn" },
        { Redirect, RedirectHops(10), Always, Fails(Protocol, "more than 10 redirects"), "Blob*11", "Blob Cdn" },
        { CdnFirst, RedirectHops(3), Always, Served, "Blob Cdn*4", "Cdn" },
        { CdnRemembered, RedirectHops(3), Always, Served, "Cdn*4", "Cdn" },
        { CdnRemembered, RedirectLoop, Always, Fails(Protocol, "more than 10 redirects"), "Cdn*11", "Cdn" },
        { Redirect, RedirectWithoutLocation, Always, Fails(Protocol, "without a usable Location"), "Blob", "Blob Cdn" },
        { Redirect, RedirectToFtp, Always, Fails(Protocol, "scheme \"ftp\""), "Blob", "Blob Cdn" },
        { Redirect, RedirectToFile, Always, Fails(Protocol, "scheme \"file\""), "Blob", "Blob Cdn" },
        { Redirect.OverTls(), RedirectToHttp, Always, Fails(Protocol, "from https to plain http at 127.0.0.1:1"), "Blob", "Blob Cdn" },
        { CdnFirst.OverTls(), RedirectToHttp, Always, Fails(Protocol, "from https to plain http at 127.0.0.1:1"), "Blob Cdn", "Blob Cdn" },
        { Redirect, RedirectToNobody, Once, Served, "Blob*2 Cdn", "Cdn" },
    };

    // The place that the registry redirects to: S3 and its like.
    private static FaultTable Elsewhere => new()
    {
        { CdnFirst, Status(403), Always, Fails(Unauthorized, "403 Forbidden: SOME_CODE: some words"), "Blob Cdn Blob Cdn", "Blob Cdn" },
        { CdnFirst, Status(404), Always, Fails(NotFound, "404"), "Blob Cdn", "Blob Cdn" },
        { CdnFirst, Status(503), Twice, Served, "Blob Cdn Blob Cdn Blob Cdn", "Cdn" },
        { CdnFirst, NoAnswer, Once, Served, "Blob Cdn Blob Cdn", "Cdn" },
        { CdnFirst, Gzip, Always, Served, "Blob Cdn", "Cdn" },
        { CdnFirst, Compressed, Always, Served, "Blob Cdn", "Cdn" },
        { CdnFirst, HugeHeader, Always, Fails(Protocol, "longer than 64 KiB"), "Blob Cdn", "Blob Cdn" },
        { CdnRemembered, Status(400), Once, Served, "Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, Status(401), Once, Served, "Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, Status(403), Once, Served, "Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, Status(404), Once, Served, "Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, Status(410), Once, Served, "Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, Status(400), Always, Fails(Refused, "400"), "Cdn Blob Cdn Blob Cdn", "Blob Cdn" },
        { CdnRemembered, Status(401), Always, Fails(Unauthorized, "401"), "Cdn Blob Cdn", "Blob Cdn" },
        { CdnRemembered, Status(403), Always, Fails(Unauthorized, "403"), "Cdn Blob Cdn Blob Cdn", "Blob Cdn" },
        { CdnRemembered, Status(404), Always, Fails(NotFound, "404"), "Cdn Blob Cdn", "Blob Cdn" },
        { CdnRemembered, Status(410), Always, Fails(Refused, "410"), "Cdn Blob Cdn", "Blob Cdn" },
        { CdnRemembered, Status(503), Twice, Served, "Cdn*3", "Cdn" },
        { CdnRemembered, Status(503), Always, Fails(Unavailable, "503"), "Cdn*6", "Cdn" },
        { CdnRemembered, Status(416), Always, Fails(RangeNotSatisfiable, "416"), "Cdn*2", "Cdn" },
        { CdnRemembered, NoAnswer, Once, Served, "Cdn Blob Cdn", "Cdn" },
        { CdnRemembered.Waits(0.3), Silence, Once, Served, "Cdn Blob Cdn", "Cdn" },
        { CdnRemembered, Html200, Always, Fails(Protocol, "by Content-Length, its descriptor says 300000"), "Cdn*2", "Cdn" },
        { CdnRemembered.OverTls(), Status(403), Once, Served, "Cdn Blob Cdn", "Cdn" },
    };

    // Inside the body of a range.
    private static FaultTable InBodies => new()
    {
        { AtRegistry, BodyReset, Thrice, Served, "Blob*4", "Blob" },
        { AtRegistry, BodyTruncated, Once, Served, "Blob*2", "Blob" },
        { AtRegistry, BodyTruncatedSoon, Always, Fails(Unreachable, "after 5 resumptions"), "Blob*6", "Blob" },
        { AtRegistry, BodyShort, Twice, Served, "Blob*3", "Blob" },
        { AtRegistry, BodyEmpty, Always, Fails(
            Protocol, "the blob has 0 bytes by Content-Length, its descriptor says 300000"), "Blob*2", "Blob" },
        { AtRegistry.Stalls(0.3), BodyStalls, Twice, Served, "Blob*3", "Blob" },
        { AtRegistry, BodyEndless, Always, Served, "Blob", "Blob" },
        { AtRegistry.Patience(0.8), Trickle, Always, Fails(TimedOut, "deadline of 0.8 s"), "Blob", "Blob" },
        { AtRegistry, RangeIgnored, Always, Served, "Blob", "Blob" },
        { AtRegistry, RangeIgnoredThenReset, Once, Served, "Blob*2", "Blob" },
        { AtRegistry.OverTls(), BodyReset, Once, Served, "Blob*2", "Blob" },
        { AtRegistry.OverTls(), BodyTruncated, Once, Served, "Blob*2", "Blob" },
        { CdnRemembered, BodyTruncated, Twice, Served, "Cdn*3", "Cdn" },
        { CdnRemembered.Stalls(0.3), BodyStalls, Once, Served, "Cdn*2", "Cdn" },
        { CdnRemembered, BodyEndless, Always, Served, "Cdn", "Cdn" },
        { CdnFirst, BodyTruncated, Once, Served, "Blob Cdn*2", "Cdn" },
    };

    // What was learned is no longer true, and then something else goes wrong.
    private static FaultTable MidLife => new()
    {
        { TokenRevoked, Status(503), Twice, Served, "Blob Token*3 Blob", "Blob" },
        { TokenRevoked, Status(403), Always, Fails(Unauthorized, "403"), "Blob Token", "Token Blob" },
        { TokenRevoked, TokenGarbage, Always, Fails(Protocol, "answer is not a token document"), "Blob Token", "Token Blob" },
        { TokenRevoked, TokenUnknown, Once, Fails(Unauthorized, "401", at: TestRequestKind.Blob), "Blob Token Blob", "Blob Token Blob" },
        { TokenRevoked, ConnectionReset, Once, Served, "Blob Token Blob", "Blob" },
        { AtRegistry, Status(401), Once, Served, "Blob Token Blob", "Blob" },
        { AtRegistry, Status(401), Always, Fails(Unauthorized, "401"), "Blob Token Blob", "Blob" },
        { UrlRevoked, Status(503), Twice, Served, "Cdn Blob*3 Cdn", "Cdn" },
        { UrlRevoked, Status(404), Always, Fails(NotFound, "404"), "Cdn Blob", "Blob Cdn" },
        { UrlRevoked, Status(401), Once, Served, "Cdn Blob Token Blob Cdn", "Cdn" },
    };

    // Another process, which has the memory of the one that read the blob: no ping, no token, one request.
    private static FaultTable Restarted => new()
    {
        { AfterRestart, ConnectionReset, Once, Served, "Blob Cdn", "Cdn" },
        { AfterRestart, NoAnswer, Once, Served, "Cdn Blob Cdn", "Cdn" },
        { AfterRestart, Status(403), Once, Served, "Cdn Blob Cdn", "Cdn" },
        { AfterRestart, Status(410), Always, Fails(Refused, "410"), "Cdn Blob Cdn", "Blob Cdn" },
        { AfterRestart, Status(503), Twice, Served, "Cdn*3", "Cdn" },
        { AfterRestart, BodyTruncated, Twice, Served, "Cdn*3", "Cdn" },
        { AfterRestart, RedirectHops(2), Always, Served, "Cdn*3", "Cdn" },
        { AfterRestartAtRegistry, Status(401), Once, Served, "Blob Token Blob", "Blob" },
        { AfterRestartAtRegistry, Status(401), Always, Fails(Unauthorized, "401"), "Blob Token Blob", "Blob" },
        { AfterRestartAtRegistry, Status(503), Always, Fails(Unavailable, "503"), "Blob*6", "Blob" },
    };

    private static Outcome Fails(RegistryFailure failure, string cause, TestRequestKind? at = null) => new(failure, cause, at);
}
