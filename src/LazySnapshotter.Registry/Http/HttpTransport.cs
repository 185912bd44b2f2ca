using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
using System.Security.Authentication;
using LazySnapshotter.Registry.Hosts;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Http;

// Sends one request and returns the head of its response. Nothing is followed, decompressed, stored in a jar or
// repeated here. Each hop waits for its host's turn, has its deadline, is logged and is counted.
internal sealed class HttpTransport : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly RegistryStatistics _statistics;
    private readonly ILogger _logger;
    private readonly HostBackoffs _backoffs;
    private readonly HttpMessageInvoker _invoker;

    public HttpTransport(RegistryOptions options, RegistryStatistics statistics, ILogger logger)
    {
        _options = options;
        _statistics = statistics;
        _logger = logger;
        _backoffs = new HostBackoffs(options, logger);
        _invoker = new HttpMessageInvoker(CreateHandler(options));
    }

    /// <exception cref="RegistryException">No response came.</exception>
    public async Task<HttpResponseMessage> SendAsync(HopRequest hop, CancellationToken cancellationToken)
    {
        var backoff = _backoffs.For(hop.Host);
        await backoff.WaitAsync(cancellationToken);

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
            Report(hop, request, Stopwatch.GetElapsedTime(started), null, failure);
            ExceptionDispatchInfo.Throw(failure);
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            var error = NoResponse(hop, e, timer, cancellationToken);
            Report(hop, request, Stopwatch.GetElapsedTime(started), null, error);
            if (error is null)
                throw;
            if (error.IsTransient)
                backoff.Failed(null);
            throw error;
        }

        Report(hop, request, Stopwatch.GetElapsedTime(started), response, null);
        if (TransientStatus.Is(response.StatusCode))
            backoff.Failed(response.Headers.RetryAfter);
        else
            backoff.Succeeded();
        return response;
    }

    /// <summary>A body broke off: that host is in trouble too.</summary>
    public void ReportBrokenBody(string host) => _backoffs.For(host).Failed(null);

    public void Dispose() => _invoker.Dispose();

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
            Version = HttpVersion.Version20,
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
        // A handshake that was refused or made no sense; one that broke off is a broken connection like any other.
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: AuthenticationException } => hop.Subject.Error(
            RegistryFailure.Unreachable, hop.Host, $"no secure connection: {Innermost(e)}", inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, $"the response is not HTTP: {Redaction.Explain(e).Cause}"),
        _ => hop.Subject.TransientError(RegistryFailure.Unreachable, hop.Host, $"no response: {Innermost(e)}", inner: e),
    };

    private static string Innermost(Exception e) => e.GetBaseException().Message;

    private void Report(HopRequest hop, HttpRequestMessage request, TimeSpan elapsed, HttpResponseMessage? response, Exception? error)
    {
        var report = new RegistryHop(
            hop.Subject.Kind, hop.Subject.Digest, request.Method.Method, hop.Host, hop.DisplayUrl, response?.StatusCode, elapsed, hop.Attempt);
        _statistics.CountHop(report);
        _options.OnHop?.Invoke(report);
        if (!_logger.IsEnabled(LogLevel.Debug))
            return;

        var range = hop.Range?.ToString() ?? "";
        if (response is null)
            _logger.HopFailed(report.Method, report.Url, range, elapsed.TotalMilliseconds, hop.Attempt, error?.GetBaseException().Message ?? "given up");
        else
            _logger.Hop(report.Method, report.Url, range, (int)response.StatusCode, response.Content.Headers.ContentLength, elapsed.TotalMilliseconds, hop.Attempt);
    }
}
