using System.Net;

namespace LazySnapshotter.Registry.Http;

// Where a redirect may lead. Location may be relative (RFC 9110 section 10.2.2). https never leads to http.
internal static class RedirectPolicy
{
    public static bool IsRedirect(HttpStatusCode status) => status is
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    /// <exception cref="RegistryException">The response names no place, or one we do not go to.</exception>
    public static Uri Next(HopRequest hop, HttpResponseMessage response)
    {
        if (response.Headers.Location is not { } location || !Uri.TryCreate(hop.Uri, location, out var next))
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, "a redirect without a usable Location", response.StatusCode);
        if (next.Scheme != Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttp)
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"a redirect to the scheme \"{next.Scheme}\"", response.StatusCode);
        if (hop.Uri.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps)
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"a redirect from https to plain http at {next.Authority}", response.StatusCode);
        return next;
    }

    /// <summary>Same scheme, host and port: the only place where credentials for <paramref name="one"/> may go.</summary>
    public static bool IsSameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && one.IdnHost.Equals(other.IdnHost, StringComparison.OrdinalIgnoreCase);
}
