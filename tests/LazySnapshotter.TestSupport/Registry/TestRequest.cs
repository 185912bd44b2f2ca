namespace LazySnapshotter.TestSupport.Registry;

public enum TestRequestKind
{
    Ping,
    Token,
    Manifest,

    /// <summary>A blob at the registry itself.</summary>
    Blob,

    /// <summary>Upload sessions and mounts at the registry itself.</summary>
    Upload,
    Referrers,
    Tags,

    /// <summary>A blob, or an upload, at the host the registry redirects to.</summary>
    Cdn,
    Other,
}

// One request as the server saw it, with what became of it. Holds headers with secrets: for assertions, not for printing.
public sealed class TestRequest
{
    private long _bytesSent;
    private long _bytesReceived;

    public required TestRequestKind Kind { get; init; }

    /// <summary>When it came (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>).</summary>
    public long ReceivedAt { get; } = System.Diagnostics.Stopwatch.GetTimestamp();

    public required string Method { get; init; }

    /// <summary>Host and port as the client named them.</summary>
    public required string Host { get; init; }

    public required string Path { get; init; }

    public required string Query { get; init; }

    public string? Range { get; init; }

    public string? Authorization { get; init; }

    public string? AcceptEncoding { get; init; }

    public string? UserAgent { get; init; }

    public string? Cookie { get; init; }

    /// <summary>For example <c>HTTP/2</c>.</summary>
    public string Protocol { get; init; } = "";

    /// <summary>Of the certificate the client showed.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>All of them, under their names as they came.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Empty unless it is a POST.</summary>
    public string Form { get; set; } = "";

    public int StatusCode { get; internal set; }

    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Of the request's body, where it is a blob.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    internal void CountReceived(int bytes) => Interlocked.Add(ref _bytesReceived, bytes);

    internal void CountSent(int bytes) => Interlocked.Add(ref _bytesSent, bytes);

    public override string ToString() => $"{Kind} {Method} {Path} {Range} -> {StatusCode}, {BytesSent} bytes";
}
