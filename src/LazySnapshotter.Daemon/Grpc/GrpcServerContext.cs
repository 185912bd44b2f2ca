using Microsoft.AspNetCore.Http;

namespace LazySnapshotter.Daemon.Grpc;

// What a handler may know of the call it serves beyond its message.
public sealed class GrpcServerContext
{
    private readonly IHeaderDictionary _headers;

    internal GrpcServerContext(string method, IHeaderDictionary headers, CancellationToken cancellationToken)
    {
        Method = method;
        _headers = headers;
        CancellationToken = cancellationToken;
    }

    /// <summary><c>/package.Service/Method</c></summary>
    public string Method { get; }

    /// <summary>Fires when the client goes away or its deadline passes.</summary>
    public CancellationToken CancellationToken { get; }

    /// <param name="name">In lower case, for example <c>containerd-namespace</c>.</param>
    public string? Metadata(string name) => _headers.TryGetValue(name, out var values) ? values.ToString() : null;
}
