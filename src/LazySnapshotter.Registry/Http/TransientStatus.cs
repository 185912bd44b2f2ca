using System.Net;

namespace LazySnapshotter.Registry.Http;

// Answers that may be different a moment later. 503 is among them because S3 throttles with it ("Slow Down").
internal static class TransientStatus
{
    public static bool Is(HttpStatusCode status) => status is
        HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;
}
