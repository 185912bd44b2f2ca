using System.Diagnostics.CodeAnalysis;
using System.Net;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// Where a redirect may lead. Location may be relative (RFC 9110 section 10.2.2). https never leads to http.
internal static class RedirectPolicy
{
    /// <summary>The request for where a redirect leads.</summary>
    /// <param name="home">Where its credentials belong: they go along as long as nothing leads away from there; null: nowhere.</param>
    /// <param name="redirects">How many have been followed.</param>
    /// <exception cref="RegistryException">They are too many, or this one cannot be followed.</exception>
    public static HopRequest Follow(HopRequest hop, HttpResponseMessage response, Uri? home, ref int redirects)
    {
        if (redirects++ == RegistryLimits.RedirectsMax)
            throw hop.Subject.Error(
                RegistryFailure.Protocol, hop.Host, $"more than {RegistryLimits.RedirectsMax} redirects", response.StatusCode);
        var next = Next(hop, response);
        if (!MayRepeat(hop, response.StatusCode))
            throw hop.Subject.Error(
                RegistryFailure.Protocol, hop.Host, $"a redirect of a {hop.Method} that cannot be followed", response.StatusCode);
        var staysHome = home is not null && IsSameOrigin(hop.Uri, next) && IsSameOrigin(home, next);
        return hop with { Uri = next, Authorization = staysHome ? hop.Authorization : null, IsFollowUp = true };
    }

    /// <exception cref="RegistryException">The response names no place, or one we do not go to.</exception>
    private static Uri Next(HopRequest hop, HttpResponseMessage response)
    {
        if (!TryLocation(hop, response, out var next))
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, "an answer without a usable Location", response.StatusCode);
        if (next.Scheme != Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttp)
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host,
                $"a Location with the scheme \"{Redaction.Quote(next.Scheme, hop)}\"", response.StatusCode);
        if (hop.Uri.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps)
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host,
                $"a Location that leads from https to plain http at {next.Authority}", response.StatusCode);
        return next;
    }

    /// <summary>
    /// Whether a redirect may be followed with the request as it is. 307 and 308 keep method and body; the others make a
    /// GET of what is no GET (RFC 9110 section 15.4), which is not what was asked for.
    /// </summary>
    private static bool MayRepeat(HopRequest hop, HttpStatusCode status) =>
        hop.Method == HttpMethod.Get || hop.Method == HttpMethod.Head
        || (status is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect && hop.Body?.CanRepeat != false);

    /// <summary>
    /// Where an upload goes: like <see cref="Next"/>, but a registry behind a proxy that ends TLS may not know that it is
    /// spoken to in https. The same host named with http is meant with https.
    /// </summary>
    public static Uri UploadPlace(HopRequest hop, HttpResponseMessage response)
    {
        return TryLocation(hop, response, out var place) && IsSameBehindTls(hop.Uri, place)
            ? AtSameOrigin(hop.Uri, place)
            : Next(hop, response);
    }

    /// <summary>
    /// Path and query of one place at the origin of another. Put together as text: to resolve a path that begins with two slashes
    /// would lead to the host it names.
    /// </summary>
    public static Uri AtSameOrigin(Uri origin, Uri place) => new(origin.GetLeftPart(UriPartial.Authority) + place.PathAndQuery);

    /// <summary>The same host, by a registry that does not know that a proxy in front of it ends TLS.</summary>
    public static bool IsSameBehindTls(Uri spokenTo, Uri named) =>
        spokenTo.Scheme == Uri.UriSchemeHttps && named.Scheme == Uri.UriSchemeHttp
        && named.IdnHost.Equals(spokenTo.IdnHost, StringComparison.OrdinalIgnoreCase)
        && (named.IsDefaultPort || named.Port == spokenTo.Port);

    private static bool TryLocation(HopRequest hop, HttpResponseMessage response, [NotNullWhen(true)] out Uri? place)
    {
        place = null;
        return response.Headers.Location is { } location && Uri.TryCreate(hop.Uri, location, out place);
    }

    /// <summary>Same scheme, host and port: the only place where credentials for <paramref name="one"/> may go.</summary>
    public static bool IsSameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && one.IdnHost.Equals(other.IdnHost, StringComparison.OrdinalIgnoreCase);
}
