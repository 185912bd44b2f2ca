using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
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
    private readonly HttpMessageInvoker _invoker;

    public HttpTransport(RegistryOptions options, RegistryStatistics statistics, ILogger logger)
    {
        _options = options;
        _statistics = statistics;
        _logger = logger;
        _queues = new HostQueues(options, logger);
        _hedging = new Hedging(options, statistics);
        _invoker = new HttpMessageInvoker(CreateHandler(options));
    }

    /// <exception cref="RegistryException">No response came.</exception>
    public async Task<HttpResponseMessage> SendAsync(HopRequest hop, CancellationToken cancellationToken)
    {
        var queue = _queues.For(hop.Host);
        var turn = await queue.EnterAsync(TurnRequest.Of(hop) with { NeedsPlace = !TurnGroup.IsInside }, cancellationToken);
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

    public void Dispose() => _invoker.Dispose();

    // The turn goes with the response, or ends here.
    private async Task<HttpResponseMessage> SendAsync(HostQueue queue, Turn turn, HopRequest hop, CancellationToken cancellationToken)
    {
        try
        {
            var response = await SendInTurnAsync(queue, turn, hop, cancellationToken);
            TurnContent.Attach(response, turn);
            return response;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendInTurnAsync(HostQueue queue, Turn turn, HopRequest hop, CancellationToken cancellationToken)
    {
        using var timer = new HopTimer(_options, cancellationToken);
        using var request = CreateMessage(hop, timer);
        var started = Stopwatch.GetTimestamp();
        HttpResponseMessage response;
        try
        {
            response = await _invoker.SendAsync(request, timer.Token);
        }
        catch (Exception) when (hop.Body?.SourceFailure is { } failure && !cancellationToken.IsCancellationRequested)
        {
            // Whoever was to supply the body failed; this host did nothing wrong.
            Report(hop, turn, request, Stopwatch.GetElapsedTime(started), null, failure);
            ExceptionDispatchInfo.Throw(failure);
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            var error = NoResponse(hop, e, timer, cancellationToken);
            Report(hop, turn, request, Stopwatch.GetElapsedTime(started), null, error);
            if (error is null)
                throw;
            if (error.IsTransient)
                queue.Failed(turn);
            throw error;
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        Report(hop, turn, request, elapsed, response, null);
        if (TransientStatus.Is(response.StatusCode))
        {
            queue.Failed(turn, RetryAfter.Of(response.Headers, _options.Clock.GetUtcNow()), TransientStatus.IsThrottle(response.StatusCode));
        }
        else
        {
            queue.Succeeded(turn);
            if (hop.Range is not null)
                queue.Answers.Add(elapsed);
        }

        return response;
    }

    private static SocketsHttpHandler CreateHandler(RegistryOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
            // Long enough to save handshakes, short enough to notice that a registry's name moved.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxResponseHeadersLength = RegistryLimits.ResponseHeaderKilobytesMax,
            // A host that ignores Range is cut off, not listened to until its blob ends.
            MaxResponseDrainSize = 64 << 10,
        };
        options.ConfigureHandler?.Invoke(handler);
        return handler;
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
        return message;
    }

    // Null where the caller itself gave up.
    private static RegistryException? NoResponse(HopRequest hop, Exception e, HopTimer timer, CancellationToken cancellationToken) => e switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => null,
        OperationCanceledException => hop.Subject.TransientError(
            RegistryFailure.TimedOut, hop.Host, timer.Expired, inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, $"the response's header is longer than {RegistryLimits.ResponseHeaderKilobytesMax} KiB", inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => hop.Subject.Error(
            RegistryFailure.Unreachable, hop.Host, $"no secure connection: {Innermost(e)}", inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, $"the response is not HTTP: {Innermost(e)}", inner: e),
        _ => hop.Subject.TransientError(RegistryFailure.Unreachable, hop.Host, $"no response: {Innermost(e)}", inner: e),
    };

    private static string Innermost(Exception e) => e.GetBaseException().Message;

    private void Report(HopRequest hop, Turn turn, HttpRequestMessage request, TimeSpan elapsed, HttpResponseMessage? response, Exception? error)
    {
        var report = new RegistryHop(
            hop.Subject.Kind, hop.Subject.Digest, request.Method.Method, hop.Host, hop.DisplayUrl, response?.StatusCode, elapsed, hop.Attempt, turn.Waited, hop.IsHedge);
        _statistics.CountHop(report);
        _options.OnHop?.Invoke(report);
        if (!_logger.IsEnabled(LogLevel.Debug))
            return;

        var range = hop.Range?.ToString() ?? "";
        if (response is null)
            _logger.HopFailed(report.Method, report.Url, range, elapsed.TotalMilliseconds, turn.Waited.TotalMilliseconds, hop.Attempt, error?.GetBaseException().Message ?? "given up");
        else
            _logger.Hop(report.Method, report.Url, range, (int)response.StatusCode, response.Content.Headers.ContentLength, elapsed.TotalMilliseconds, turn.Waited.TotalMilliseconds, hop.Attempt);
    }
}
