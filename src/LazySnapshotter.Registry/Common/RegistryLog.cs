using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Common;

// Everything this project logs. URLs come without their query, headers never: what is signed or secret cannot get here.
internal static partial class RegistryLog
{
    [LoggerMessage(1, LogLevel.Debug,
        "{Method} {Url} {Range}: {Status}, {Bytes} bytes received, first byte after {TimeToFirstByteMs:F1} ms, queued {QueueWaitMs:F1} " +
            "ms, attempt {Attempt}{Hedge}")]
    public static partial void Hop(
        this ILogger logger, string method, string url, string range, int status, long bytes, double timeToFirstByteMs, double queueWaitMs,
        int attempt, string hedge);

    [LoggerMessage(2, LogLevel.Debug,
        "{Method} {Url} {Range}: no response after {ElapsedMs:F1} ms, queued {QueueWaitMs:F1} ms, attempt {Attempt}{Hedge}: {Cause}")]
    public static partial void HopFailed(
        this ILogger logger, string method, string url, string range, double elapsedMs, double queueWaitMs, int attempt, string hedge,
        string cause);

    [LoggerMessage(50, LogLevel.Warning, "{Host} says: {Text}")]
    public static partial void HostWarns(this ILogger logger, string host, string text);

    [LoggerMessage(3, LogLevel.Debug, "{Host}: next request not before {DelayMs:F0} ms from now, failures in a row: {Failures}")]
    public static partial void HostBacksOff(this ILogger logger, string host, double delayMs, int failures);

    [LoggerMessage(19, LogLevel.Debug, "{Host}: asked too much, from now on at most {Limit} requests at once")]
    public static partial void HostThrottles(this ILogger logger, string host, int limit);

    [LoggerMessage(4, LogLevel.Warning,
        "{Host} ignores Range: a read of {Digest}, or of another blob there, brings the whole blob")]
    public static partial void HostIgnoresRange(this ILogger logger, string host, Digest digest);

    [LoggerMessage(47, LogLevel.Warning,
        "{Host} gives no ranges: a read of {Digest}, or of another blob there, brings the whole blob: {Cause}")]
    public static partial void HostRefusesRange(this ILogger logger, string host, Digest digest, string cause);

    [LoggerMessage(5, LogLevel.Debug,
        "{Host}: body of {Digest} broke off at byte {Position} of {Range}, resumed ({Resumed} of {ResumedMax}): {Cause}")]
    public static partial void BodyResumed(
        this ILogger logger, string host, Digest digest, long position, string range, int resumed, int resumedMax, string cause);

    [LoggerMessage(6, LogLevel.Debug, "{Host}: the remembered location of {Digest} is no longer good ({Cause}), asking the registry anew")]
    public static partial void LocationForgotten(this ILogger logger, string host, Digest digest, string cause);

    [LoggerMessage(7, LogLevel.Debug, "{Host}: token for {Scope} taken from {Realm}, good for {LifetimeSeconds:F0} s")]
    public static partial void TokenTaken(this ILogger logger, string host, string scope, string realm, double lifetimeSeconds);

    [LoggerMessage(8, LogLevel.Warning, "{Host}: going on without credentials from {Place}: {Cause}")]
    public static partial void CredentialsUnusable(this ILogger logger, string host, string place, string cause);

    [LoggerMessage(9, LogLevel.Warning, "{Host}: going on without credentials, {Helper} cannot be used: {Cause}")]
    public static partial void CredentialHelperFailed(this ILogger logger, string host, string helper, string cause);

    [LoggerMessage(11, LogLevel.Debug, "{Host}: {Digest} is not mounted from {Repository} but sent: {Cause}")]
    public static partial void MountRefused(this ILogger logger, string host, Digest digest, string repository, string cause);

    [LoggerMessage(12, LogLevel.Debug, "{Host}: no referrers API, going by the tag {Tag}: {Cause}")]
    public static partial void ReferrersApiMissing(this ILogger logger, string host, string tag, string cause);

    [LoggerMessage(13, LogLevel.Information, "{Host}: {Digest} is no longer listed as a referrer, but stays: {Cause}")]
    public static partial void ReferrerStays(this ILogger logger, string host, Digest digest, string cause);

    [LoggerMessage(40, LogLevel.Warning, "{Path}: what was remembered of registries is forgotten and learned anew: {Cause}")]
    public static partial void MemoryForgotten(this ILogger logger, string path, string cause);

    [LoggerMessage(41, LogLevel.Warning, "{Path}: nothing about registries is remembered over a restart: {Cause}")]
    public static partial void MemoryUnusable(this ILogger logger, string path, string cause);

    [LoggerMessage(43, LogLevel.Warning, "{Host}: says that {Repository}:{Tag} still is {Digest} and that it is {Claimed}; asked anew")]
    public static partial void UnchangedTagContradicted(
        this ILogger logger, string host, string repository, string tag, Digest digest, Digest claimed);

    [LoggerMessage(44, LogLevel.Warning, "{Host}: cannot be reached, {Repository}:{Tag} is what it was at {SeenAt}: {Cause}")]
    public static partial void TagFromMemory(
        this ILogger logger, string host, string repository, string tag, DateTimeOffset seenAt, string cause);

    [LoggerMessage(42, LogLevel.Warning, "{Path}: the stored manifest {Digest} is of no use and asked for again: {Cause}")]
    public static partial void StoredManifestUnusable(this ILogger logger, Digest digest, string path, string cause);

    [LoggerMessage(14, LogLevel.Debug, "{Registry}: {Host} passed over, the next one is asked: {Cause}")]
    public static partial void EndpointPassedOver(this ILogger logger, string registry, string host, string cause);

    [LoggerMessage(15, LogLevel.Debug, "{Registry}: by {Directory} it is asked at {Hosts}")]
    public static partial void HostsRead(this ILogger logger, string registry, string directory, string hosts);

    [LoggerMessage(16, LogLevel.Warning, "{Registry}: {Oddity}")]
    public static partial void HostsFileOdd(this ILogger logger, string registry, string oddity);

    [LoggerMessage(17, LogLevel.Warning, "{Registry}: its configuration changed and cannot be used, going on with the one before: {Cause}")]
    public static partial void HostsFileRefused(this ILogger logger, string registry, string cause);

    [LoggerMessage(18, LogLevel.Information, "{Host}: speaks plain http, which nobody configured; it is shown no password")]
    public static partial void PlainHttpFound(this ILogger logger, string host);

    [LoggerMessage(10, LogLevel.Debug, "{Host}: speaks {Scheme}, wants {Challenge}")]
    public static partial void HostPinged(this ILogger logger, string host, string scheme, string challenge);

    [LoggerMessage(46, LogLevel.Debug, "{Host}: its ping tells nothing, so nothing is shown until something is refused: {Cause}")]
    public static partial void PingToldNothing(this ILogger logger, string host, string cause);
}
