using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace LazySnapshotter.TestSupport.Registry;

// An answer as bytes on the connection, past the server's own writing: for what no honest server would send. HTTP/1 only,
// and the connection ends with it.
internal sealed class RawAnswer(HttpContext context)
{
    // A client that read to the end closes its side; one that does not is cut off.
    private static readonly TimeSpan ClosedWithin = TimeSpan.FromSeconds(1);

    private readonly System.IO.Pipelines.PipeWriter _output = context.Features.Get<IConnectionTransportFeature>()!.Transport.Output;

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes) => await _output.WriteAsync(bytes, context.RequestAborted);

    public async Task CloseAsync()
    {
        await _output.CompleteAsync();
        await Task.WhenAny(Task.Delay(Timeout.Infinite, context.RequestAborted), Task.Delay(ClosedWithin));
        context.Abort();
    }

    public static byte[] Head(HttpResponse response, string version, long? length)
    {
        var head = new StringBuilder($"HTTP/{version} {response.StatusCode} Whatever\r\n");
        foreach (var (name, value) in response.Headers)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                head.Append($"{name}: {value}\r\n");
        }

        if (length is not null)
            head.Append($"Content-Length: {length}\r\n");
        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
    }
}
