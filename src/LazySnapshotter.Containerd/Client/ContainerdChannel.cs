using System.Net.Sockets;
using Grpc.Net.Client;

namespace LazySnapshotter.Containerd.Client;

// gRPC over HTTP/2 without TLS on a Unix socket, as containerd speaks it. Connects with the first call and again whenever the
// connection is gone.
public static class ContainerdChannel
{
    /// <summary>Longest message taken or sent: containerd's own limit (its defaults package, DefaultMaxRecvMsgSize).</summary>
    public const int MessageBytesMax = 16 * 1024 * 1024;

    public static GrpcChannel Open(string socketPath) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => ConnectAsync(socketPath, cancellationToken),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            InitialHttp2StreamWindowSize = 1024 * 1024,
        },
        DisposeHttpClient = true,
        MaxReceiveMessageSize = MessageBytesMax,
        MaxSendMessageSize = MessageBytesMax,
        ThrowOperationCanceledOnCancellation = true,
    });

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
}
