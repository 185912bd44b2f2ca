using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon.Grpc;

// From an HTTP/2 request to a handler, and from its end to status trailers (grpc/doc/PROTOCOL-HTTP2.md). Whatever a
// handler throws becomes a status here, so a call always ends with one; a failure nobody foresaw is logged as well.
internal sealed class GrpcDispatcher(GrpcServiceTable services, ILogger logger) : IHttpApplication<HttpContext>
{
    private const string ContentType = "application/grpc";

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) != true)
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        context.Response.ContentType = ContentType;
        var (status, message) = await CallAsync(context, request.Path.Value ?? "");
        context.Response.AppendTrailer("grpc-status", ((int)status).ToString(CultureInfo.InvariantCulture));
        if (message.Length > 0)
            context.Response.AppendTrailer("grpc-message", GrpcStatusMessage.Encode(message));
    }

    private async Task<(StatusCode Status, string Message)> CallAsync(HttpContext http, string path)
    {
        if (http.Request.Method != HttpMethods.Post || services.Find(path) is not { } handler)
            return (StatusCode.Unimplemented, $"unknown method {path}");

        using var deadline = new CancellationTokenSource();
        if (http.Request.Headers.TryGetValue(GrpcTimeout.Header, out var timeoutText))
        {
            if (!GrpcTimeout.TryParse(timeoutText.ToString(), out var timeout))
                return (StatusCode.Internal, $"malformed {GrpcTimeout.Header} \"{timeoutText}\"");
            deadline.CancelAfter(timeout < DeadlineMax ? timeout : DeadlineMax);
        }

        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, deadline.Token);
        try
        {
            await handler(http, new GrpcServerContext(path, http.Request.Headers, cancellation.Token));
            return (StatusCode.Ok, "");
        }
        catch (GrpcException e)
        {
            return (e.Status, e.Message);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            return (StatusCode.Cancelled, "the client went away");
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return (StatusCode.DeadlineExceeded, "the deadline passed");
        }
        catch (Exception e)
        {
            // The outermost frame of a call: nothing above it could tell the client.
            GrpcLog.CallFailed(logger, path, e);
            return (StatusCode.Unknown, e.Message);
        }
    }

    // The longest a timer can run (about 49 days).
    private static readonly TimeSpan DeadlineMax = TimeSpan.FromMilliseconds(uint.MaxValue - 1);
}
