using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Daemon.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SnapshotsBase = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsBase;
using VersionClient = Containerd.Services.Version.V1.Version.VersionClient;

namespace LazySnapshotter.Daemon.Snapshots;

// A snapshots service on a Unix socket: gRPC over HTTP/2 without TLS.
public sealed class SnapshotsServer : IAsyncDisposable
{
    // containerd uses a single connection, and a Prepare may wait for a registry.
    private const int CallsPerConnectionMax = 1000;

    // What Grpc.AspNetCore finds by reflection in a service, so that the trimmer keeps it.
    private const DynamicallyAccessedMemberTypes ServiceMembers = DynamicallyAccessedMemberTypes.PublicConstructors
        | DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods;

    private readonly WebApplication _application;
    private string? _socketPath;

    private SnapshotsServer(WebApplication application, string socketPath)
    {
        _application = application;
        _socketPath = socketPath;
    }

    /// <exception cref="IOException">The socket cannot be had; the message names its path.</exception>
    public static async Task<SnapshotsServer> StartAsync<[DynamicallyAccessedMembers(ServiceMembers)] TService>(
        string socketPath, TService service, ILoggerFactory loggers, CancellationToken cancellationToken)
        where TService : SnapshotsBase
    {
        if (Path.GetDirectoryName(Path.GetFullPath(socketPath)) is { } directory)
            Directory.CreateDirectory(directory);

        var builder = SmallHost.CreateBuilder(loggers, kestrel => Configure(kestrel, socketPath));
        builder.Services.Configure<SocketTransportOptions>(
            transport => transport.CreateBoundListenSocket = _ => UnixListenSocket.Bind(socketPath));
        builder.Services.AddSingleton(service);
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = ContainerdChannel.MessageBytesMax;
            grpc.MaxSendMessageSize = ContainerdChannel.MessageBytesMax;
            grpc.Interceptors.Add<StatusInterceptor>();
        });
        var application = builder.Build();
        application.MapGrpcService<TService>();
        try
        {
            await application.StartAsync(cancellationToken);
            await RehearseAsync(UnixListenSocket.HiddenPath(socketPath), cancellationToken);
            UnixListenSocket.Show(socketPath);
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new SnapshotsServer(application, socketPath);
    }

    /// <summary>Takes no new calls and waits for those under way until the token fires.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Hide();
        return _application.StopAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Hide();
        return _application.DisposeAsync();
    }

    // Once: afterwards the name may be another server's.
    private void Hide()
    {
        if (Interlocked.Exchange(ref _socketPath, null) is { } path)
            File.Delete(path);
    }

    // One call before the socket has its name, which costs 7 ms of a start of 150. containerd gives a connection to a plugin one
    // second until the server's first frame (grpc-go's BaseDelay; containerd sets no MinConnectTimeout), then fails everybody's
    // calls for a while. Without this, the frame of a program that runs on a JIT comes after 0.1 s, and after 0.5 to 1.1 s on two
    // processors with a load of 20.
    private static async Task RehearseAsync(string socketPath, CancellationToken cancellationToken)
    {
        using var channel = ContainerdChannel.Open(socketPath);
        try
        {
            await new VersionClient(channel).VersionAsync(new Empty(), cancellationToken: cancellationToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
        {
            // As expected: only containerd has that service.
        }
    }

    private static void Configure(KestrelServerOptions options, string socketPath)
    {
        options.AddServerHeader = false;
        // The peers are few, local and privileged; calls wait for registries. Kestrel's defences against slow
        // strangers would only cut off containerd.
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
        options.Limits.Http2.MaxStreamsPerConnection = CallsPerConnectionMax;
        options.ListenUnixSocket(socketPath, listen => listen.Protocols = HttpProtocols.Http2);
    }
}
