using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Google.Protobuf;

namespace LazySnapshotter.Daemon.Grpc;

// The client's end: gRPC over HTTP/2 without TLS on a Unix socket. Connects with the first call and again whenever the
// connection is gone. Safe for concurrent use. A call the caller cancels throws OperationCanceledException; every
// other bad end is a GrpcException, Unavailable where the socket cannot be reached.
public sealed class GrpcChannel : IDisposable
{
    private readonly HttpMessageInvoker _http;

    public GrpcChannel(string socketPath)
    {
        SocketPath = socketPath;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => ConnectAsync(socketPath, cancellationToken),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            InitialHttp2StreamWindowSize = 1024 * 1024,
        });
    }

    public string SocketPath { get; }

    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcCallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        using var call = new GrpcClientCall<TResponse>(method.Path, method.ResponseParser, SocketPath, options, cancellationToken);
        await call.SendAsync(_http, new SingleMessageContent(request));
        var response = await call.ReadAsync();
        if (response is null || await call.ReadAsync() is not null)
            throw new GrpcException(StatusCode.Internal, $"{method.Path}: not exactly one message in the answer");
        return response;
    }

    public async IAsyncEnumerable<TResponse> ServerStreamingAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcCallOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        using var call = new GrpcClientCall<TResponse>(method.Path, method.ResponseParser, SocketPath, options, cancellationToken);
        await call.SendAsync(_http, new SingleMessageContent(request));
        while (await call.ReadAsync() is { } response)
            yield return response;
    }

    /// <summary>Opens a call in which both sides stream. Dispose it to abandon what is still under way.</summary>
    public GrpcDuplexCall<TRequest, TResponse> StartDuplex<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, GrpcCallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> =>
        new(_http, new GrpcClientCall<TResponse>(method.Path, method.ResponseParser, SocketPath, options, cancellationToken));

    public void Dispose() => _http.Dispose();

    private static async ValueTask<Stream> ConnectAsync(string socketPath, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class SingleMessageContent(IMessage message) : HttpContent
    {
        private readonly byte[] _frame = Encode(message);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            stream.WriteAsync(_frame, cancellationToken).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = _frame.Length;
            return true;
        }

        private static byte[] Encode(IMessage message)
        {
            var buffer = new System.Buffers.ArrayBufferWriter<byte>(MessageFrame.HeaderLength + message.CalculateSize());
            MessageFrame.Write(buffer, message);
            return buffer.WrittenSpan.ToArray();
        }
    }
}
