using System.Globalization;

namespace LazySnapshotter.Registry.Blobs;

// Until when a signed URL can be used, read from its query: AWS signature 4 (X-Amz-Date, X-Amz-Expires) and Google's
// likeness of it, the older Expires in seconds since 1970 (S3, CloudFront, Google, Alibaba), Azure's se. A URL that was
// just given out is valid whatever our clock says; a wrong guess costs one refused request, which resolves anew.
internal static class UrlExpiry
{
    public static readonly TimeSpan LifetimeDefault = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromHours(12);
    private static readonly TimeSpan MarginMax = TimeSpan.FromSeconds(10);

    public static DateTimeOffset Of(Uri uri, DateTimeOffset now)
    {
        var lifetime = Lifetime(ReadQuery(uri), now);
        if (lifetime <= TimeSpan.Zero)
            lifetime = LifetimeDefault; // Their clock or ours is wrong.
        if (lifetime > LifetimeMax)
            lifetime = LifetimeMax;
        var margin = lifetime / 10 < MarginMax ? lifetime / 10 : MarginMax;
        return now + lifetime - margin;
    }

    private static TimeSpan Lifetime(Dictionary<string, string> query, DateTimeOffset now)
    {
        foreach (var vendor in (ReadOnlySpan<string>)["X-Amz-", "X-Goog-"])
        {
            if (query.TryGetValue(vendor + "Expires", out var seconds) && TryReadSeconds(seconds, out var length))
            {
                return query.TryGetValue(vendor + "Date", out var signed)
                    && DateTimeOffset.TryParseExact(
                        signed, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt)
                        ? signedAt - now + length
                        : length;
            }
        }

        if (query.TryGetValue("Expires", out var epoch) && TryReadSeconds(epoch, out var sinceEpoch))
            return DateTimeOffset.UnixEpoch + sinceEpoch - now;
        if (query.TryGetValue("se", out var until)
            && DateTimeOffset.TryParse(until, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var untilTime))
        {
            return untilTime - now;
        }

        return LifetimeDefault;
    }

    private static bool TryReadSeconds(string text, out TimeSpan length)
    {
        // Some 6000 years, so that no sum overflows.
        var good = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 200_000_000_000;
        length = good ? TimeSpan.FromSeconds(seconds) : default;
        return good;
    }

    private static Dictionary<string, string> ReadQuery(Uri uri)
    {
        var query = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                query.TryAdd(pair[..equals], Uri.UnescapeDataString(pair[(equals + 1)..].Replace('+', ' ')));
        }

        return query;
    }
}
