using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// Words of a host, before a person sees them. Hosts repeat what they were sent: a proxy the URL with its signature, a
// registry the token it does not like. Taken out is first what this request carried, in whatever form it comes back, and
// then whatever looks like a secret that another request carried.
internal static partial class Redaction
{
    private const string Removed = "(removed)";

    // Shorter values are no secrets, and taking them out would leave holes in ordinary words.
    private const int SecretCharsMin = 6;

    private const int QuotedCharsMax = 80;

    public static string Of(string text, HopRequest hop)
    {
        foreach (var secret in SecretsOf(hop))
        {
            text = text.Replace(secret, Removed, StringComparison.OrdinalIgnoreCase);
            text = text.Replace(Uri.EscapeDataString(secret), Removed, StringComparison.OrdinalIgnoreCase);
        }

        text = Query().Replace(text, "?" + Removed);
        text = Scheme().Replace(text, "$1 " + Removed);
        text = Named().Replace(text, "$1" + Removed);
        return WebToken().Replace(text, Removed);
    }

    /// <summary>A word from a header, short enough for a sentence.</summary>
    public static string Quote(string text, HopRequest hop)
    {
        var clean = Of(text, hop);
        return clean.Length <= QuotedCharsMax ? clean : clean[..QuotedCharsMax] + "...";
    }

    /// <summary>
    /// Why an answer could not be read, and the exception to go with it. The runtime quotes lines that are not HTTP
    /// ("Received an invalid header line: '...'"), in every exception on the way: then neither is passed on.
    /// </summary>
    public static (string Cause, Exception? Inner) Explain(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse }
                or HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse })
                return (InQuotes().Replace(cause.Message, Removed), null);
        }

        return (e.GetBaseException().Message, e);
    }

    private static IEnumerable<string> SecretsOf(HopRequest hop)
    {
        var secrets = new List<string>();
        if (hop.Authorization is { Parameter: { } shown } header)
        {
            secrets.Add(shown);
            if (header.Scheme == "Basic")
                secrets.AddRange(BasicPair(header));
        }

        // What is asked of a token service (service and scope) is no secret, and the answer may well be about it.
        foreach (var (name, value) in hop.Form ?? [])
        {
            if (name is "refresh_token" or "password")
                secrets.Add(value);
        }

        if (hop.Subject.Kind != RegistryRequestKind.Token)
        {
            foreach (var parameter in hop.Uri.Query.TrimStart('?').Split('&'))
            {
                var value = parameter[(parameter.IndexOf('=', StringComparison.Ordinal) + 1)..];
                secrets.Add(value);
                secrets.Add(Uri.UnescapeDataString(value));
            }
        }

        foreach (var (_, values) in hop.Home?.HeadersTo(hop.Uri) ?? [])
            secrets.AddRange(values);

        // The longer first: one may be part of another.
        return secrets.Where(s => s.Length >= SecretCharsMin).Distinct().OrderByDescending(s => s.Length);
    }

    private static IEnumerable<string> BasicPair(AuthenticationHeaderValue header)
    {
        var buffer = new byte[header.Parameter!.Length];
        if (!Convert.TryFromBase64String(header.Parameter, buffer, out var count))
            return [];
        var pair = Encoding.UTF8.GetString(buffer, 0, count);
        return [pair, pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..]];
    }

    [GeneratedRegex("""(?<=[\w/])\?[^\s"'<>]+""")]
    private static partial Regex Query();

    // With a character that words do not have: "Basic authentication required" says nothing secret.
    [GeneratedRegex(@"\b(Bearer|Basic)\s+(?=\S*[\d+/])[\w\-.~+/=%]{6,}", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    // "access_token": "...", refresh_token=..., X-Amz-Signature=..., sig=..., Cookie: ..., password: ...
    [GeneratedRegex(
        """((?:token|password|secret|signature|credential|\bsig|cookie|authorization)"?\s*[:=]\s*"?)(?!\s*\(removed\))[^\s"'<>&,;]{12,}""",
        RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    // JSON web tokens: three parts, the first of which begins with {" in base64.
    [GeneratedRegex(@"\beyJ[\w\-]+\.[\w\-]+\.[\w\-]*")]
    private static partial Regex WebToken();

    [GeneratedRegex("'.*'", RegexOptions.Singleline)]
    private static partial Regex InQuotes();
}
