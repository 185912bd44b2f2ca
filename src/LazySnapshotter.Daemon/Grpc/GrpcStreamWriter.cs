using System.IO.Pipelines;
using Google.Protobuf;

namespace LazySnapshotter.Daemon.Grpc;

// The answers of a server-streaming call, sent as they are written.
public sealed class GrpcStreamWriter<TResponse>
    where TResponse : class, IMessage<TResponse>
{
    private readonly PipeWriter _body;

    internal GrpcStreamWriter(PipeWriter body) => _body = body;

    public async ValueTask WriteAsync(TResponse response, CancellationToken cancellationToken)
    {
        MessageFrame.Write(_body, response);
        await _body.FlushAsync(cancellationToken);
    }
}
