using System.Net;

namespace LazySnapshotter.Registry.Common;

internal static class RedirectStatus
{
    public static bool Is(HttpStatusCode status) => status is
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
}
