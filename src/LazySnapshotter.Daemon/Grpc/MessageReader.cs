using System.IO.Pipelines;
using Google.Protobuf;

namespace LazySnapshotter.Daemon.Grpc;

// Messages off an HTTP/2 body, one after the other. Used by one caller at a time.
internal sealed class MessageReader(PipeReader body)
{
    /// <returns>The next message, or null where the body ends between two messages.</returns>
    /// <exception cref="GrpcException">What came is not a message, or is longer than the limit.</exception>
    public async ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (MessageFrame.TryRead(ref buffer, parser, out var message))
            {
                body.AdvanceTo(buffer.Start);
                return message;
            }

            var unread = buffer.Length;
            body.AdvanceTo(buffer.Start, buffer.End);
            if (!result.IsCompleted)
                continue;
            if (unread > 0)
                throw new GrpcException(StatusCode.Internal, $"body ends {unread} bytes into a message");
            return null;
        }
    }

    /// <summary>The only message of a call that is not a stream.</summary>
    public async ValueTask<T> ReadSingleAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        var message = await ReadAsync(parser, cancellationToken)
            ?? throw new GrpcException(StatusCode.Internal, $"body ends without the {typeof(T).Name} it should carry");
        if (await ReadAsync(parser, cancellationToken) is not null)
            throw new GrpcException(StatusCode.Internal, $"more than one {typeof(T).Name} where one was expected");
        return message;
    }
}
