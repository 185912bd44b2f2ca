using System.Net.Http.Headers;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Http;

// One request to one host, before it is an HTTP message (a message cannot be sent twice, a HopRequest can).
internal sealed record HopRequest(Uri Uri, RequestSubject Subject)
{
    private static readonly Uri Nowhere = new("http://nowhere.invalid/");

    /// <summary>A template, which gets its place from the endpoint it is sent to.</summary>
    public HopRequest(RequestSubject subject)
        : this(Nowhere, subject)
    {
    }

    /// <summary>Belongs to the host of <see cref="Uri"/>. A redirect makes a new request without it.</summary>
    public AuthenticationHeaderValue? Authorization { get; init; }

    public string? Accept { get; init; }

    public ByteRange? Range { get; init; }

    public HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>Makes it a POST.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Form { get; init; }

    public RequestBody? Body { get; init; }

    /// <summary>A precondition (RFC 9110 section 13.1): name and value of its header.</summary>
    public KeyValuePair<string, string>? Precondition { get; init; }

    public int Attempt { get; init; }

    /// <summary>
    /// Sent because of the answer to another hop of the same attempt: behind a redirect, or with the token a 401 asked for.
    /// </summary>
    public bool IsFollowUp { get; init; }

    /// <summary>The endpoint on whose behalf it is sent, to itself or to where it led: who connects how is decided by it.</summary>
    public RegistryEndpoint? Home { get; init; }

    /// <summary>How soon it gets its turn at its host. Null: as its subject has it, that is like a document.</summary>
    public ReadPriority? Priority { get; init; }

    /// <summary>Of the answer's body, or of the request's own if that is longer; 0 where nobody knows.</summary>
    public long ExpectedBytes { get; init; }

    /// <summary>The second request for what the first, still unanswered, asked for; it goes over a connection of its own.</summary>
    public bool IsHedge { get; init; }

    /// <summary>Host with port where it is not the scheme's own.</summary>
    public string Host => Uri.Authority;

    /// <summary>For logs and messages: no query (signatures), no user info.</summary>
    public string DisplayUrl => Uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    // What it shows and the query may be secrets.
    public override string ToString() => $"{Method} {DisplayUrl}";
}
