using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http.Addresses;
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
    private readonly HttpHandlers _handlers;

    public HttpTransport(RegistryOptions options, RegistryStatistics statistics, ILogger logger)
    {
        _options = options;
        _statistics = statistics;
        _logger = logger;
        _backoffs = new HostBackoffs(options, logger);
        _handlers = new HttpHandlers(options);
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
            var invoker = await _handlers.ForAsync(hop, timer.Token);
            response = await invoker.SendAsync(request, timer.Token);
        }
        catch (Exception) when (hop.Body?.SourceFailure is { } failure && !cancellationToken.IsCancellationRequested)
        {
            // Whoever was to supply the body failed; this host did nothing wrong.
            Report(hop, request, Stopwatch.GetElapsedTime(started), null, failure);
            ExceptionDispatchInfo.Throw(failure);
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or PrivateAddressException)
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

    /// <summary>How long a host is left alone because it failed; zero for one without trouble.</summary>
    public TimeSpan BackoffOf(string host) => _backoffs.For(host).Wait;

    /// <summary>A body broke off: that host is in trouble too.</summary>
    public void ReportBrokenBody(string host) => _backoffs.For(host).Failed(null);

    public void Dispose() => _handlers.Dispose();

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
        OperationCanceledException { InnerException: TimeoutException } => hop.Subject.TransientError(
            RegistryFailure.Unreachable, hop.Host, $"no connection within {ConnectTimeout(hop).TotalSeconds:0.###} s", inner: e),
        OperationCanceledException => hop.Subject.TransientError(
            RegistryFailure.TimedOut, hop.Host, timer.Expired, inner: e),
        _ when e.GetBaseException() is PrivateAddressException refused => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, refused.Message, inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, $"the response's header is longer than {RegistryLimits.ResponseHeaderKilobytesMax} KiB", inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => hop.Subject.Error(
            RegistryFailure.Unreachable, hop.Host, $"no secure connection: {Innermost(e)}", inner: e),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => hop.Subject.Error(
            RegistryFailure.Protocol, hop.Host, $"the response is not HTTP: {Innermost(e)}", inner: e),
        _ => hop.Subject.TransientError(RegistryFailure.Unreachable, hop.Host, $"no response: {Innermost(e)}", inner: e),
    };

    private TimeSpan ConnectTimeout(HopRequest hop) => hop.Home?.ConnectionTo(hop.Uri).ConnectTimeout ?? _options.ConnectTimeout;

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
