using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Security.Authentication;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http.Addresses;
using LazySnapshotter.Registry.Scheduling;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Http;

// Sends one request and returns the head of its response. Nothing is followed, decompressed or stored in a jar here, and
// nothing is repeated but a hedge (Hedging). Each hop waits for its turn at its host, which it has until the response's body is at
// its end or disposed of; it has its deadline, is logged and is counted.
internal sealed class HttpTransport : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly RegistryStatistics _statistics;
    private readonly ILogger _logger;
    private readonly HostQueues _queues;
    private readonly Hedging _hedging;
    private readonly HttpHandlers _handlers;
    private readonly HostWarnings _warnings;
    private readonly HostOutages _outages;

    public HttpTransport(RegistryOptions options, RegistryStatistics statistics, ILogger logger)
    {
        _options = options;
        _statistics = statistics;
        _logger = logger;
        _queues = new HostQueues(options, logger);
        _hedging = new Hedging(options, statistics);
        _handlers = new HttpHandlers(options, statistics);
        _warnings = new HostWarnings(logger);
        _outages = new HostOutages(options);
    }

    /// <exception cref="RegistryException">No response came.</exception>
    public async Task<HttpResponseMessage> SendAsync(HopRequest hop, CancellationToken cancellationToken)
    {
        var queue = _queues.For(hop.Host);
        var turn = await _outages.EnterAsync(
            queue, HopTurn.RequestOf(hop) with { NeedsPlace = !TurnGroup.IsInside }, hop, cancellationToken);
        return await _hedging.SendAsync(queue, turn, hop, SendAsync, cancellationToken);
    }

    /// <summary>How long a host is left alone because it failed; zero for one without trouble.</summary>
    public TimeSpan BackoffOf(string host) => _queues.For(host).Backoff;

    /// <summary>A body broke off: that host is in trouble too.</summary>
    public void ReportBrokenBody(string host) => _queues.For(host).Failed(null);

    public IReadOnlyList<HostActivity> Activity => _queues.Activity;

    /// <summary>Runs what will have requests to several hosts under way at once, with a place at each of them.</summary>
    public Task<T> WithTurnsAsync<T>(IEnumerable<string> hosts, TurnLoad load, Func<Task<T>> work, CancellationToken cancellationToken) =>
        TurnGroup.RunAsync(hosts.Select(_queues.For), load, work, cancellationToken);

    public void Dispose() => _handlers.Dispose();

    // The turn goes with the response, or ends here.
    private async Task<HttpResponseMessage> SendAsync(HostQueue queue, Turn turn, HopRequest hop, CancellationToken cancellationToken)
    {
        try
        {
            return await SendInTurnAsync(queue, turn, hop, cancellationToken);
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendInTurnAsync(HostQueue queue, Turn turn, HopRequest hop, CancellationToken cancellationToken)
    {
        var outage = _outages.For(hop.Uri);
        using var timer = new HopTimer(_options, Decision.IsPending ? outage.Patience : _options.ResponseTimeout, cancellationToken);
        using var request = CreateMessage(hop, timer);
        var started = Stopwatch.GetTimestamp();
        HttpResponseMessage response;
        try
        {
            var invoker = await _handlers.ForAsync(hop, timer.Token);
            response = await invoker.SendAsync(request, timer.Token);
        }
        catch (Exception) when (hop.Body?.SourceFailure is { } failure && !cancellationToken.IsCancellationRequested)
        {
            // Whoever was to supply the body failed; this host did nothing wrong.
            Report(hop, turn, request, Stopwatch.GetElapsedTime(started), null).Failed(failure.GetBaseException().Message);
            ExceptionDispatchInfo.Throw(failure);
            throw;
        }
        // SocketException: HttpClient asks a new connection who its peer is, outside of what it wraps, and a reset may have come meanwhile.
        catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException or PrivateAddressException)
        {
            var error = NoResponse(hop, e, timer, cancellationToken);
            Report(hop, turn, request, Stopwatch.GetElapsedTime(started), null, isGivenUp: error is null)
                .Failed(error?.GetBaseException().Message ?? "given up");
            if (error is null)
                throw;
            if (error.Failure is RegistryFailure.Unreachable or RegistryFailure.TimedOut)
                outage.Failed(error);
            if (error.IsTransient)
                queue.Failed(turn);
            throw error;
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        var report = Report(hop, turn, request, elapsed, response);
        Decision.Current?.Heard(_options.Clock);
        _warnings.Read(response, hop);
        // An answer to a ping decides nothing (HostPing): what is worth an answer is not left alone because of it.
        if (TransientStatus.Is(response.StatusCode) && hop.Subject.Kind != RegistryRequestKind.Ping)
        {
            var cause = $"it answered {(int)response.StatusCode}";
            outage.Failed(hop.Subject.TransientError(RegistryFailure.Unavailable, hop.Host, cause, response.StatusCode));
            queue.Failed(
                turn, RetryAfter.Of(response.Headers, _options.Clock.GetUtcNow()), TransientStatus.IsThrottle(response.StatusCode));
        }
        else
        {
            outage.Answered();
            queue.Succeeded(turn);
            if (response.IsSuccessStatusCode && hop.Subject.Kind is not (RegistryRequestKind.Ping or RegistryRequestKind.Token))
                Decision.Current?.Gave();
            if (hop.Range is not null)
                queue.Answers.Add(elapsed);
        }

        TurnContent.Attach(response, turn, report);
        return response;
    }

    private HttpRequestMessage CreateMessage(HopRequest hop, HopTimer timer)
    {
        var message = new HttpRequestMessage(hop.Form is null ? hop.Method : HttpMethod.Post, hop.Uri)
        {
            // A connection of HTTP/2 is shared by all; one of HTTP/1.1 is never the one the first request is stuck on.
            Version = hop.IsHedge ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = hop.Form is null ? hop.Body?.Create(timer) : new FormUrlEncodedContent(hop.Form),
        };
        message.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        message.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        message.Headers.Authorization = hop.Authorization;
        message.Headers.Range = hop.Range?.ToHeader();
        if (hop.Accept is not null)
            message.Headers.TryAddWithoutValidation("Accept", hop.Accept);
        if (hop.Precondition is { } precondition)
            message.Headers.TryAddWithoutValidation(precondition.Key, precondition.Value);
        foreach (var (name, values) in hop.Home?.HeadersTo(hop.Uri) ?? [])
        {
            // What the request itself says stays as it is.
            if (!message.Headers.Contains(name))
                message.Headers.TryAddWithoutValidation(name, values);
        }

        return message;
    }

    // Null where the caller itself gave up.
    private RegistryException? NoResponse(HopRequest hop, Exception e, HopTimer timer, CancellationToken cancellationToken) => e switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => null,
        OperationCanceledException when !timer.Token.IsCancellationRequested => Lasting(hop.Subject.TransientError(
            RegistryFailure.TimedOut, hop.Host, $"no connection within {ConnectTimeout(hop).TotalSeconds:0.###} s", inner: e)),
        OperationCanceledException => Lasting(hop.Subject.TransientError(
            RegistryFailure.TimedOut, hop.Host, timer.Expired, inner: e)),
        _ when e.GetBaseException() is PrivateAddressException refused => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, refused.Message, inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, $"the response's header is longer than {RegistryLimits.ResponseHeaderKilobytesMax} KiB",
            inner: e),
        // A handshake that was refused or made no sense; one that broke off is a broken connection like any other.
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: AuthenticationException } =>
            Lasting(hop.Subject.Error(RegistryFailure.Unreachable, hop.Host, $"no secure connection: {Innermost(e)}", inner: e)),
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError } =>
            Lasting(hop.Subject.TransientError(RegistryFailure.Unreachable, hop.Host, $"no response: {Innermost(e)}", inner: e)),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, $"the response is not HTTP: {Redaction.Explain(e).Cause}"),
        _ => hop.Subject.TransientError(RegistryFailure.Unreachable, hop.Host, $"no response: {Innermost(e)}", inner: e),
    };

    private static RegistryException Lasting(RegistryException error)
    {
        error.IsLasting = true;
        return error;
    }

    private TimeSpan ConnectTimeout(HopRequest hop) => hop.Home?.ConnectionTo(hop.Uri).ConnectTimeout ?? _options.ConnectTimeout;

    private static string Innermost(Exception e) => e.GetBaseException().Message;

    private HopReport Report(
        HopRequest hop, Turn turn, HttpRequestMessage request, TimeSpan elapsed, HttpResponseMessage? response, bool isGivenUp = false)
    {
        var report = new RegistryHop(
            hop.Subject.Kind, hop.Subject.Digest, request.Method.Method, hop.Host, hop.DisplayUrl, response?.StatusCode, elapsed,
            hop.Attempt, turn.Waited, hop.IsHedge,
            response?.Version);
        _statistics.CountHop(report, isRepetition: hop is { Attempt: > 0, IsFollowUp: false, IsHedge: false }, isGivenUp);
        _options.OnHop?.Invoke(report);
        var (outage, decision) = (_outages.For(hop.Uri), Decision.Current);
        return new HopReport(report, hop.Range?.ToString() ?? "", Heard, _logger);

        void Heard()
        {
            outage.Answered();
            decision?.Heard(_options.Clock);
        }
    }
}
