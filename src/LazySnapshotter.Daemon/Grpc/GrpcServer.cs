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
        await RehearseAsync(services, loggerFactory, cancellationToken);
        var server = await ListenAsync(socketPath, services, loggerFactory, cancellationToken);
        var logger = loggerFactory.CreateLogger<GrpcServer>();
        GrpcLog.ServerListens(logger, socketPath);
        return server;
    }

    /// <summary>Takes no new calls and waits for those under way until the token fires.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _kestrel.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _kestrel.StopAsync(new CancellationToken(canceled: true));
        _kestrel.Dispose();
    }

    // containerd gives a connection to a plugin one second until the server's first frame (grpc-go's BaseDelay; containerd sets
    // no MinConnectTimeout), then fails everybody's calls for a while. On a busy machine that can be less than compiling the code of
    // a first call takes. So one is made beforehand, where nobody waits for it: a method that nobody has.
    private static async Task RehearseAsync(GrpcServiceTable services, ILoggerFactory loggerFactory, CancellationToken cancellationToken)
    {
        DirectoryInfo? directory = null;
        try
        {
            directory = Directory.CreateTempSubdirectory("lazysnap-");
            await using var server = await ListenAsync(Path.Combine(directory.FullName, "s"), services, loggerFactory, cancellationToken);
            using var channel = new GrpcChannel(server.SocketPath);
            await channel.UnaryAsync(new GrpcMethod<Empty, Empty>("lazysnap.Self", "Knock", Empty.Parser, Empty.Parser), new Empty(), null, cancellationToken);
        }
        catch (Exception e) when (e is GrpcException or IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            // Answered as expected, or there is no place for a rehearsal (a TMPDIR too long for a socket): what is wrong with the real one will be said there.
        }
        finally
        {
            directory?.Delete(recursive: true);
        }
    }

    private static async Task<GrpcServer> ListenAsync(
        string socketPath, GrpcServiceTable services, ILoggerFactory loggerFactory, CancellationToken cancellationToken)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(socketPath)) is { } directory)
            Directory.CreateDirectory(directory);

        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions { CreateBoundListenSocket = endPoint => BindSocket(endPoint, socketPath) }),
            loggerFactory);
        var kestrel = new KestrelServer(Options.Create(KestrelOptions(socketPath)), transport, loggerFactory);
        try
        {
            await kestrel.StartAsync(new GrpcDispatcher(services, loggerFactory.CreateLogger<GrpcServer>()), cancellationToken);
        }
        catch
        {
            kestrel.Dispose();
            throw;
        }

        return new GrpcServer(kestrel, socketPath);
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
