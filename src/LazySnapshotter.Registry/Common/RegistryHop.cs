using System.Net;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Common;

/// <summary>What a request was for.</summary>
public enum RegistryRequestKind
{
    Ping,
    Token,
    Manifest,
    Blob,

    /// <summary>A blob on its way into a repository: sessions, mounts, bodies.</summary>
    Upload,
    Referrers,
    Tags,
}

// One request as it went over the wire: a redirect followed is two hops. No query and no header, so no secret.
/// <param name="Url">Without query.</param>
/// <param name="StatusCode">None where no response came.</param>
/// <param name="TimeToFirstByte">From the moment it was sent.</param>
/// <param name="Attempt">0 for the first.</param>
/// <param name="QueueWait">For its turn at the host, before it was sent.</param>
/// <param name="HttpVersion">Of the answer.</param>
/// <param name="IsHedge">Sent because the same request, sent before, stayed unanswered for too long.</param>
public readonly record struct RegistryHop(
    RegistryRequestKind Kind, Digest? Digest, string Method, string Host, string Url, HttpStatusCode? StatusCode, TimeSpan TimeToFirstByte,
    int Attempt,
    TimeSpan QueueWait = default, bool IsHedge = false, Version? HttpVersion = null);
