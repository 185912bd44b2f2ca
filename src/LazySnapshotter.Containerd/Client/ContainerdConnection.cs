using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace LazySnapshotter.Containerd.Client;

// The channel to containerd together with what every call says besides its message: the namespace its objects are in,
// and the lease that keeps what it creates. Immutable; a connection under a lease shares the channel. How a call fails is
// translated here: ContainerdUnreachableException, or ContainerdException with containerd's status and text.
internal sealed class ContainerdConnection(ChannelBase channel, string address, string namespaceName, string? leaseId)
{
    // core/leases and pkg/namespaces: the names of the gRPC metadata.
    private const string NamespaceHeader = "containerd-namespace";
    private const string LeaseHeader = "containerd-lease";

    private readonly Metadata _headers = leaseId is null
        ? new Metadata { { NamespaceHeader, namespaceName } }
        : new Metadata { { NamespaceHeader, namespaceName }, { LeaseHeader, leaseId } };

    /// <summary>What the generated clients are made of; their calls need the connection's options.</summary>
    public ChannelBase Channel => channel;

    public string NamespaceName => namespaceName;

    public ContainerdConnection UnderLease(string id) => new(channel, address, namespaceName, id);

    public CallOptions Options(CancellationToken cancellationToken) => new(_headers, cancellationToken: cancellationToken);

    /// <param name="method">Of a generated client.</param>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> method, TRequest request, CancellationToken cancellationToken)
    {
        using var call = method(request, Options(cancellationToken));
        try
        {
            return await call;
        }
        catch (RpcException e)
        {
            throw Translate(e);
        }
    }

    /// <param name="method">Of a generated client; called when the first answer is asked for.</param>
    public async IAsyncEnumerable<TResponse> StreamAsync<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncServerStreamingCall<TResponse>> method, TRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var call = method(request, Options(cancellationToken));
        while (true)
        {
            try
            {
                if (!await call.ResponseStream.MoveNext(cancellationToken))
                    yield break;
            }
            catch (RpcException e)
            {
                throw Translate(e);
            }

            yield return call.ResponseStream.Current;
        }
    }

    public Exception Translate(RpcException e)
    {
        if (e.Status.DebugException is not { } failure)
            return new ContainerdException(e.StatusCode, e.Status.Detail);

        // containerd itself answers Unavailable too (a locked ingest): only a failed connect means that it is not there.
        for (var cause = failure; e.StatusCode == StatusCode.Unavailable && cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException socket)
                return new ContainerdUnreachableException(address, Reason(socket), e);
        }

        return new ContainerdException(e.StatusCode, $"containerd on {address}: {failure.Message}", failure);
    }

    private static string Reason(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.AddressNotAvailable => "no such socket",
        SocketError.AccessDenied => "permission denied",
        _ => e.Message,
    };
}
