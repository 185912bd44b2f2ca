using Grpc.Core;
using Grpc.Core.Interceptors;
using LazySnapshotter.Daemon.Log;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon.Snapshots;

// The one place where what a handler throws becomes a status. The text goes to the client: containerd shows it to whoever
// asked for the snapshot. A failure nobody foresaw is logged as well.
internal sealed class StatusInterceptor(ILogger<StatusInterceptor> logger) : Interceptor
{
    // The text travels in an HTTP/2 header block, up to nine bytes a character: no place for long ones (a client takes 64 KiB).
    private const int DetailLengthMax = 4096;

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception e)
        {
            throw new RpcException(StatusOf(e, context));
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responses, context);
        }
        catch (Exception e)
        {
            throw new RpcException(StatusOf(e, context));
        }
    }

    private Status StatusOf(Exception exception, ServerCallContext context)
    {
        switch (exception)
        {
            case RpcException e:
                return Cut(e.StatusCode, e.Status.Detail);
            case SnapshotException e:
                return Cut(CodeOf(e), e.Message);
            case var _ when context.CancellationToken.IsCancellationRequested:
                return new Status(StatusCode.Cancelled, "the client went away, or its deadline passed");
            default:
                DaemonLog.CallFailed(logger, context.Method, exception);
                return Cut(StatusCode.Unknown, exception.Message);
        }
    }

    private static StatusCode CodeOf(SnapshotException e) => e switch
    {
        SnapshotNotFoundException => StatusCode.NotFound,
        SnapshotExistsException => StatusCode.AlreadyExists,
        SnapshotArgumentException => StatusCode.InvalidArgument,
        SnapshotStateException => StatusCode.FailedPrecondition,
        _ => StatusCode.Unknown,
    };

    private static Status Cut(StatusCode code, string detail) =>
        new(code, detail.Length <= DetailLengthMax ? detail : detail[..DetailLengthMax]);
}
