using System.Net;
using System.Net.Sockets;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LazySnapshotter.Daemon.Grpc;

// gRPC over HTTP/2 without TLS on a Unix socket. Kestrel is used bare, without a host or a container: the program has
// a lifetime of its own (signals, order of shutdown), and the socket answers sooner after start.
public sealed class GrpcServer : IAsyncDisposable
{
    private readonly KestrelServer _kestrel;

    private GrpcServer(KestrelServer kestrel, string socketPath)
    {
        _kestrel = kestrel;
        SocketPath = socketPath;
    }

    public string SocketPath { get; }

    /// <exception cref="IOException">The socket cannot be had; the message names its path.</exception>
    public static async Task<GrpcServer> StartAsync(
        string socketPath, GrpcServiceTable services, ILoggerFactory loggerFactory, CancellationToken cancellationToken)
    {
        var logger = loggerFactory.CreateLogger<GrpcServer>();
        if (Path.GetDirectoryName(Path.GetFullPath(socketPath)) is { } directory)
            Directory.CreateDirectory(directory);

        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions { CreateBoundListenSocket = endPoint => BindSocket(endPoint, socketPath) }),
            loggerFactory);
        var kestrel = new KestrelServer(Options.Create(KestrelOptions(socketPath)), transport, loggerFactory);
        try
        {
            await kestrel.StartAsync(new GrpcDispatcher(services, logger), cancellationToken);
            await WarmUpAsync(socketPath, cancellationToken);
        }
        catch
        {
            kestrel.Dispose();
            throw;
        }

        GrpcLog.ServerListens(logger, socketPath);
        return new GrpcServer(kestrel, socketPath);
    }

    /// <summary>Takes no new calls and waits for those under way until the token fires.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _kestrel.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _kestrel.StopAsync(new CancellationToken(canceled: true));
        _kestrel.Dispose();
    }

    // containerd gives a plugin's first connection one second (grpc-go's BaseDelay; containerd sets no MinConnectTimeout) and
    // fails whoever asked. On a busy machine that can be less than what compiling the code for a first call takes.
    private static async Task WarmUpAsync(string socketPath, CancellationToken cancellationToken)
    {
        using var channel = new GrpcChannel(socketPath);
        try
        {
            await channel.UnaryAsync(new GrpcMethod<Empty, Empty>("lazysnap.Self", "Knock", Empty.Parser, Empty.Parser), new Empty(), null, cancellationToken);
        }
        catch (GrpcException e) when (e.Status == StatusCode.Unimplemented)
        {
            // The answer to a method that nobody has.
        }
        catch (GrpcException e)
        {
            throw new IOException($"{socketPath}: the server does not answer itself: {e.Message}", e);
        }
    }

    private static Socket BindSocket(EndPoint endPoint, string socketPath) =>
        endPoint is UnixDomainSocketEndPoint unix
            ? UnixListenSocket.Bind(unix, socketPath)
            : throw new NotSupportedException($"{endPoint} is not a Unix socket");

    private static KestrelServerOptions KestrelOptions(string socketPath)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        // The peers are few, local and privileged; calls wait for registries. Kestrel's defences against slow
        // strangers would only cut off containerd.
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
        options.Limits.Http2.MaxStreamsPerConnection = GrpcLimits.CallsPerConnectionMax;
        options.ListenUnixSocket(socketPath, listen => listen.Protocols = HttpProtocols.Http2);
        return options;
    }
}
