using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Containerd;

// The channel to containerd together with what every call says besides its message: the namespace its objects are in,
// and the lease that keeps what it creates. Immutable; a connection under a lease shares the channel.
internal sealed class ContainerdConnection(GrpcChannel channel, string namespaceName, string? leaseId)
{
    // core/leases and pkg/namespaces: the names of the gRPC metadata.
    private const string NamespaceHeader = "containerd-namespace";
    private const string LeaseHeader = "containerd-lease";

    private readonly GrpcCallOptions _options = new(leaseId is null
        ? new Dictionary<string, string> { [NamespaceHeader] = namespaceName }
        : new Dictionary<string, string> { [NamespaceHeader] = namespaceName, [LeaseHeader] = leaseId });

    public string Address => channel.SocketPath;

    public string NamespaceName => namespaceName;

    public ContainerdConnection UnderLease(string id) => new(channel, namespaceName, id);

    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        try
        {
            return await channel.UnaryAsync(method, request, _options, cancellationToken);
        }
        catch (GrpcException e) when (Unreachable(e) is { } unreachable)
        {
            throw unreachable;
        }
    }

    public async IAsyncEnumerable<TResponse> StreamAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        await using var responses = channel.ServerStreamingAsync(method, request, _options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await responses.MoveNextAsync())
                    yield break;
            }
            catch (GrpcException e) when (Unreachable(e) is { } unreachable)
            {
                throw unreachable;
            }

            yield return responses.Current;
        }
    }

    public GrpcDuplexCall<TRequest, TResponse> StartDuplex<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> => channel.StartDuplex(method, _options, cancellationToken);

    /// <summary>containerd itself answers Unavailable too (a locked ingest): only a failed connect means that it is not there.</summary>
    public ContainerdUnreachableException? Unreachable(GrpcException e)
    {
        if (e.Status != StatusCode.Unavailable)
            return null;
        for (var cause = e.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException socket)
                return new ContainerdUnreachableException(Address, Reason(socket), e);
        }

        return null;
    }

    private static string Reason(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.AddressNotAvailable => "no such socket",
        SocketError.AccessDenied => "permission denied",
        _ => e.Message,
    };
}
