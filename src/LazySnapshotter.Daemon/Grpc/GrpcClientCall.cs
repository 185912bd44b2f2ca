using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace LazySnapshotter.Daemon.Grpc;

// One call under way, as the client sees it: request out, messages in, status at the end. All exceptions of the HTTP
// stack end here: cancelled by the caller, deadline passed, or unavailable.
internal sealed class GrpcClientCall<TResponse> : IDisposable
    where TResponse : class, IMessage<TResponse>
{
    private readonly string _path;
    private readonly MessageParser<TResponse> _parser;
    private readonly string _socketPath;
    private readonly GrpcCallOptions _options;
    private readonly CancellationToken _callerCancelled;
    private readonly CancellationTokenSource _cancellation;
    private HttpResponseMessage? _response;
    private MessageReader? _messages;

    public GrpcClientCall(
        string path, MessageParser<TResponse> parser, string socketPath, GrpcCallOptions? options, CancellationToken cancellationToken)
    {
        _path = path;
        _parser = parser;
        _socketPath = socketPath;
        _options = options ?? GrpcCallOptions.Default;
        _callerCancelled = cancellationToken;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (_options.Timeout is { } timeout)
            _cancellation.CancelAfter(timeout);
    }

    /// <summary>Fires when the call is over for the caller: cancelled, past its deadline, or disposed.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>Sends the request and waits for the answer's headers.</summary>
    public async Task SendAsync(HttpMessageInvoker http, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("http://localhost" + _path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (_options.Timeout is { } timeout)
            request.Headers.TryAddWithoutValidation(GrpcTimeout.Header, GrpcTimeout.Format(timeout));
        foreach (var (name, value) in _options.Metadata ?? new Dictionary<string, string>())
            request.Headers.TryAddWithoutValidation(name, value);

        try
        {
            _response = await http.SendAsync(request, _cancellation.Token);
            if (_response.StatusCode != HttpStatusCode.OK)
                throw new GrpcException(StatusOfHttp(_response.StatusCode), $"{_path}: HTTP status {(int)_response.StatusCode}");
            _messages = new MessageReader(PipeReader.Create(await _response.Content.ReadAsStreamAsync(_cancellation.Token)));
        }
        catch (Exception e) when (Translate(e) is { } translated)
        {
            throw translated;
        }
    }

    /// <returns>The next message, or null after the last one of a call that ended well.</returns>
    /// <exception cref="GrpcException">The call ended with another status than OK.</exception>
    public async Task<TResponse?> ReadAsync()
    {
        if (_response is null || _messages is null)
            throw new InvalidOperationException("the call was not sent");
        try
        {
            if (await _messages.ReadAsync(_parser, _cancellation.Token) is { } message)
                return message;
        }
        catch (Exception e) when (Translate(e) is { } translated)
        {
            throw translated;
        }

        ThrowUnlessOk(_response);
        return null;
    }

    public void Dispose()
    {
        _cancellation.Cancel();
        _response?.Dispose();
        _cancellation.Dispose();
    }

    public Exception? Translate(Exception e) => e switch
    {
        OperationCanceledException when _callerCancelled.IsCancellationRequested => null,
        OperationCanceledException => new GrpcException(StatusCode.DeadlineExceeded, $"{_path}: no answer within {_options.Timeout}", e),
        HttpRequestException or IOException => new GrpcException(StatusCode.Unavailable, $"{_path} on {_socketPath}: {e.Message}", e),
        _ => null,
    };

    // A call that ends before its first message may carry the status in its headers ("Trailers-Only").
    private void ThrowUnlessOk(HttpResponseMessage response)
    {
        var trailers = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
        if (!trailers.TryGetValues("grpc-status", out var values)
            || !int.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            throw new GrpcException(StatusCode.Unknown, $"{_path}: the answer ends without a grpc-status");
        if (status == (int)StatusCode.Ok)
            return;

        var message = trailers.TryGetValues("grpc-message", out var messages) ? GrpcStatusMessage.Decode(messages.First()) : "";
        throw new GrpcException(status <= (int)StatusCode.Unauthenticated ? (StatusCode)status : StatusCode.Unknown, message);
    }

    // grpc/doc/http-grpc-status-mapping.md
    private static StatusCode StatusOfHttp(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
            => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };
}
