using System.Net;

namespace LazySnapshotter.Registry.Http;

// Answers that may be different a moment later. 503 is among them because S3 throttles with it ("Slow Down"); 499 and 522
// are what nginx and Cloudflare say of a connection behind them that ended.
internal static class TransientStatus
{
    private const HttpStatusCode ClientClosedRequest = (HttpStatusCode)499;
    private const HttpStatusCode ConnectionTimedOut = (HttpStatusCode)522;

    public static bool Is(HttpStatusCode status) => status is
        HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
        or ClientClosedRequest or ConnectionTimedOut;

    /// <summary>The host says that it is asked too much.</summary>
    public static bool IsThrottle(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;
}
