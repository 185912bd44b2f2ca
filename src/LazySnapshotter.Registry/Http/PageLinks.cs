using System.Net.Http.Headers;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// The next page of a list: Link: </v2/…?last=…>; rel="next" (RFC 8288, what the specification calls RFC 5988). Only at
// the same origin, because the next request shows the same credentials.
internal static class PageLinks
{
    /// <returns>The next page, or null after the last.</returns>
    /// <exception cref="RegistryException">It leads to another host.</exception>
    public static Uri? Next(HttpResponseHeaders headers, HopRequest hop)
    {
        if (!headers.NonValidated.TryGetValues("Link", out var values))
            return null;
        foreach (var value in values)
        {
            for (var rest = value.AsSpan(); ;)
            {
                var open = rest.IndexOf('<');
                var close = rest.IndexOf('>');
                if (open < 0 || close < open)
                    break;
                var target = rest[(open + 1)..close].ToString();
                rest = rest[(close + 1)..];
                var end = rest.IndexOf(",<") is var tight and >= 0 ? tight : rest.IndexOf(", <");
                var parameters = end < 0 ? rest : rest[..end];
                if (IsNext(parameters))
                    return Checked(target, hop);
                rest = end < 0 ? default : rest[end..];
            }
        }

        return null;
    }

    private static bool IsNext(ReadOnlySpan<char> parameters)
    {
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim();
            var equals = parameter.IndexOf('=');
            // Several relations may stand in one value.
            if (equals > 0 && parameter[..equals].Trim().Equals("rel", StringComparison.OrdinalIgnoreCase)
                && parameter[(equals + 1)..].Trim().Trim('"').ToString().Split(' ').Contains("next", StringComparer.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static Uri Checked(string target, HopRequest hop)
    {
        if (!Uri.TryCreate(hop.Uri, target, out var next)
            || !(RedirectPolicy.IsSameOrigin(hop.Uri, next) || RedirectPolicy.IsSameBehindTls(hop.Uri, next)))
        {
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, "the Link to the next page leads away from this host");
        }

        if (next.PathAndQuery == hop.Uri.PathAndQuery)
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, "the Link to the next page leads to the same page");
        return RedirectPolicy.AtSameOrigin(hop.Uri, next);
    }
}
