namespace LazySnapshotter.TestSupport.Registry;

// Misbehaviour on demand: which requests it befalls, how often, and what goes wrong. Several things may go wrong at
// once. Offsets count bytes of the response's body, not of the blob.
public sealed record Fault
{
    /// <summary>All kinds if null.</summary>
    public TestRequestKind? Kind { get; init; }

    public Func<TestRequest, bool>? When { get; init; }

    /// <summary>How many requests are spared before the first.</summary>
    public int After { get; init; }

    /// <summary>How many requests are befallen.</summary>
    public int Times { get; init; } = int.MaxValue;

    /// <summary>Befalls each request with this probability; 1 is always.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Before anything is answered.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Answers with this status instead of what was asked for.</summary>
    public int? StatusCode { get; init; }

    /// <summary>With <see cref="StatusCode"/>: the body of the answer.</summary>
    public string Body { get; init; } = "";

    /// <summary>With <see cref="StatusCode"/>: a body made for the request, one that repeats it for example.</summary>
    public Func<TestRequest, string>? BodyFor { get; init; }

    public string ContentType { get; init; } = "text/plain";

    /// <summary>Set on the answer, real or not, in place of what it would carry.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Headers the answer would carry and does not.</summary>
    public IReadOnlyList<string> WithoutHeaders { get; init; } = [];

    /// <summary>Does what was asked for, then closes the connection instead of saying so.</summary>
    public bool LoseAnswer { get; init; }

    /// <summary>Takes this many bytes of a blob that is being uploaded, then resets the connection.</summary>
    public long? ResetUploadAt { get; init; }

    /// <summary>Takes this many bytes of a blob that is being uploaded, and no more, for ever.</summary>
    public long? StallUploadAt { get; init; }

    /// <summary>Redirects to itself.</summary>
    public bool RedirectLoop { get; init; }

    /// <summary>
    /// Redirects to itself this many times, by relative and absolute Locations in turn, then answers. For faults that always befall.
    /// </summary>
    public int RedirectHops { get; init; }

    /// <summary>
    /// These bytes as they are in place of an answer; then the connection is closed or, with <see cref="StallAt"/>, silent. HTTP/1
    /// only.
    /// </summary>
    public Func<TestRequest, byte[]>? Raw { get; init; }

    /// <summary>Says HTTP/1.0, announces no length, and ends the body by closing the connection. HTTP/1 only.</summary>
    public bool Http10 { get; init; }

    /// <summary>Sends this many bytes more than announced. HTTP/1 only.</summary>
    public int SurplusBytes { get; init; }

    /// <summary>Closes the connection without an answer.</summary>
    public bool ResetBeforeAnswer { get; init; }

    /// <summary>Sends this many bytes of the body, then resets the connection, which may take back bytes on their way.</summary>
    public long? ResetAt { get; init; }

    /// <summary>Sends this many bytes of those announced, then closes the connection.</summary>
    public long? TruncateAt { get; init; }

    /// <summary>Announces no length and ends the body properly after this many bytes.</summary>
    public long? EndAt { get; init; }

    /// <summary>Sends this many bytes, then nothing more, for ever.</summary>
    public long? StallAt { get; init; }

    /// <summary>Flips the bits of this byte.</summary>
    public long? CorruptAt { get; init; }

    /// <summary>Answers 200 with the whole blob.</summary>
    public bool IgnoreRange { get; init; }

    /// <summary>
    /// Answers a range with a document of several parts (RFC 9110 section 15.3.7.2), of which the one asked for is the first.
    /// </summary>
    public bool Multipart { get; init; }

    /// <summary>With <see cref="Multipart"/>: of one part.</summary>
    public bool SinglePart { get; init; }

    /// <summary>Answers a range with 200, no Content-Range, and the bytes of the range alone.</summary>
    public bool PartAsWhole { get; init; }

    /// <summary>
    /// Compresses what it sends and says so, whatever was asked for: <c>gzip</c>, <c>x-gzip</c>, <c>deflate</c> or <c>bare deflate</c>,
    /// which it calls deflate too.
    /// </summary>
    public string? Compresses { get; init; }

    /// <summary>Announces no length.</summary>
    public bool Unannounced { get; init; }

    /// <summary>Announces no length and never ends.</summary>
    public bool EndlessBody { get; init; }

    /// <summary>Nothing, a chunk, nothing...: bytes per second of this body alone.</summary>
    public long? BytesPerSecond { get; init; }

    public static Fault Status(int status, TestRequestKind? kind = null, int times = int.MaxValue, string body = "") =>
        new() { StatusCode = status, Kind = kind, Times = times, Body = body };

    /// <summary>Redirects there.</summary>
    public static Fault Redirect(string location, TestRequestKind? kind = null, int times = int.MaxValue) =>
        Status(307, kind, times).With("Location", location);

    public Fault With(string header, string value) => this with { Headers = new Dictionary<string, string>(Headers) { [header] = value } };

    public static Fault HtmlPage(int status, TestRequestKind? kind = null) =>
        new() { StatusCode = status, Kind = kind, Body = "<!DOCTYPE html><html><body>Something went wrong</body></html>",
            ContentType = "text/html" };
}
