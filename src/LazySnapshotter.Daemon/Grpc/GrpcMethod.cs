using Google.Protobuf;

namespace LazySnapshotter.Daemon.Grpc;

// One method of a service as both ends know it. The path is "/package.Service/Method" (PROTOCOL-HTTP2.md, "Path").
public sealed record GrpcMethod<TRequest, TResponse>(
    string Service, string Name, MessageParser<TRequest> RequestParser, MessageParser<TResponse> ResponseParser)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    public string Path { get; } = "/" + Service + "/" + Name;
}
