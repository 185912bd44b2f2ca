using System.Net.Http.Headers;

namespace LazySnapshotter.Registry.Scheduling;

// How long a host asks to be left alone (RFC 9110 section 10.2.3): seconds, or a date, which is read by the host's own
// clock where it tells it, since ours may be wrong. More seconds than a number holds are a long time, not none.
internal static class RetryAfter
{
    /// <summary>Null where the host asks for nothing, for a time that is over, or for something nobody understands.</summary>
    public static TimeSpan? Of(HttpResponseHeaders headers, DateTimeOffset now)
    {
        if (headers.RetryAfter is { } parsed)
        {
            var wait = parsed.Delta ?? (parsed.Date - (headers.Date ?? now));
            return wait > TimeSpan.Zero ? wait : null;
        }

        return headers.NonValidated.TryGetValues("Retry-After", out var values)
            && values.ToString().Trim() is { Length: > 0 } text && text.All(char.IsAsciiDigit)
            ? TimeSpan.MaxValue
            : null;
    }
}
