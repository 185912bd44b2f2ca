using System.Net;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Common;

/// <summary>What kind of failure; what can be done about it differs.</summary>
public enum RegistryFailure
{
    /// <summary>No connection, or it broke, after all repetitions.</summary>
    Unreachable,

    /// <summary>A deadline passed.</summary>
    TimedOut,

    /// <summary>Credentials are missing or were refused (401, 403).</summary>
    Unauthorized,

    /// <summary>404.</summary>
    NotFound,

    /// <summary>416: we asked beyond the end, or the descriptor lies about the size.</summary>
    RangeNotSatisfiable,

    /// <summary>The host said that it cannot now (408, 429, 5xx), after all repetitions.</summary>
    Unavailable,

    /// <summary>Another refusal (4xx).</summary>
    Refused,

    /// <summary>The answer contradicts the protocol, the request or the digest.</summary>
    Protocol,

    /// <summary>What is configured about the registry cannot be used; nothing was sent.</summary>
    Misconfigured,
}

// Something asked of a registry could not be had. The message names host, subject (digest and range, or manifest)
// and cause, and holds no secret: URLs appear in it without their query.
public sealed class RegistryException : IOException, ISourceFailure
{
    public RegistryException(
        RegistryFailure failure, string host, string message, HttpStatusCode? statusCode =
            null, Digest? digest = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
        Host = host;
        StatusCode = statusCode;
        Digest = digest;
    }

    public RegistryFailure Failure { get; }

    /// <summary>The host that failed, with its port: the registry, its token service, or where it redirected to.</summary>
    public string Host { get; }

    public HttpStatusCode? StatusCode { get; }

    public Digest? Digest { get; }

    /// <summary>The specification's code for the error, where the registry gave one: for example <c>BLOB_UPLOAD_UNKNOWN</c>.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>Asking again may help.</summary>
    public bool IsTransient { get; init; }

    /// <inheritdoc/>
    public bool IsFinal => Failure is RegistryFailure.Unreachable or RegistryFailure.TimedOut or RegistryFailure.Unavailable;

    /// <summary>No connection was made (name, port, proxy, certificate): what else is asked of the host would fail like this.</summary>
    internal bool IsNoConnection => InnerException is HttpRequestException
    {
        HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
    };

    /// <summary>It may be the range that was refused, or answered in a way that cannot be used; without one the blob may be had.</summary>
    internal bool MayBeTheRange { get; set; }

    /// <summary>
    /// A request was repeated as often as is right. An operation that this request was only a part of does not repeat it again.
    /// </summary>
    internal bool WasRepeated { get; set; }

    /// <summary>Nothing says that it will pass in a moment: whoever decides by it (<see cref="Decision"/>) does not repeat it.</summary>
    internal bool IsLasting { get; set; }
}
