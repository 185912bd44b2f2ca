using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace LazySnapshotter.Daemon.Grpc;

// The methods a server answers, by path. Filled before the server starts, only read afterwards.
public sealed class GrpcServiceTable
{
    internal delegate Task CallHandler(HttpContext http, GrpcServerContext context);

    private readonly Dictionary<string, CallHandler> _handlers = new(StringComparer.Ordinal);

    public GrpcServiceTable Unary<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<TRequest, GrpcServerContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        _handlers.Add(method.Path, async (http, context) =>
        {
            var request = await ReadRequestAsync(http, method, context);
            var response = await handler(request, context);
            MessageFrame.Write(http.Response.BodyWriter, response);
        });
        return this;
    }

    public GrpcServiceTable ServerStreaming<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<TRequest, GrpcStreamWriter<TResponse>, GrpcServerContext, Task> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        _handlers.Add(method.Path, async (http, context) =>
        {
            var request = await ReadRequestAsync(http, method, context);
            await handler(request, new GrpcStreamWriter<TResponse>(http.Response.BodyWriter), context);
        });
        return this;
    }

    internal CallHandler? Find(string path) => _handlers.GetValueOrDefault(path);

    private static ValueTask<TRequest> ReadRequestAsync<TRequest, TResponse>(
        HttpContext http, GrpcMethod<TRequest, TResponse> method, GrpcServerContext context)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> =>
        new MessageReader(http.Request.BodyReader).ReadSingleAsync(method.RequestParser, context.CancellationToken);
}
