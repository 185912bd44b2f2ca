using System.Net;

namespace LazySnapshotter.Registry.Http;

// Turns an answer that is not what was asked for into the error that says why.
internal static class ResponseCheck
{
    /// <exception cref="RegistryException">The status is not in the 200s, or the body is compressed. Takes the host's own words.</exception>
    public static async Task EnsureSuccessAsync(HttpResponseMessage response, HopRequest hop, RegistryOptions options, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw await ErrorAsync(response, hop, options, cancellationToken);

        // We ask for identity. A host that compresses on its own makes offsets meaningless.
        foreach (var encoding in response.Content.Headers.ContentEncoding)
        {
            if (!encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
                throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"compressed with {Redaction.Quote(encoding, hop)} although identity was asked for", response.StatusCode);
        }
    }

    public static async Task<RegistryException> ErrorAsync(
        HttpResponseMessage response, HopRequest hop, RegistryOptions options, CancellationToken cancellationToken)
    {
        var body = await ExplanationAsync(response, hop, options, cancellationToken);
        var said = ErrorText.Of(body, response.Content.Headers.ContentType?.MediaType, hop);
        var cause = $"{(int)response.StatusCode} {StatusName(response.StatusCode)}" + (said.Length == 0 ? "" : ": " + said);
        var isTransient = TransientStatus.Is(response.StatusCode);
        return hop.Subject.Error(
            isTransient ? RegistryFailure.Unavailable : FailureOf(response.StatusCode), hop.Host, cause, response.StatusCode, code: ErrorText.CodeOf(body, hop), isTransient: isTransient);
    }

    private static async Task<byte[]> ExplanationAsync(
        HttpResponseMessage response, HopRequest hop, RegistryOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await BoundedBody.ReadAsync(response, hop, RegistryLimits.ErrorBodyBytesMax, options, cancellationToken);
        }
        catch (RegistryException)
        {
            // The status says enough; an explanation that is endless or breaks off is none.
            return [];
        }
    }

    private static RegistryFailure FailureOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => RegistryFailure.Unauthorized,
        HttpStatusCode.NotFound => RegistryFailure.NotFound,
        HttpStatusCode.RequestedRangeNotSatisfiable => RegistryFailure.RangeNotSatisfiable,
        >= HttpStatusCode.InternalServerError => RegistryFailure.Unavailable,
        >= HttpStatusCode.BadRequest => RegistryFailure.Refused,
        _ => RegistryFailure.Protocol,
    };

    // "NotFound" -> "Not Found". The host's own reason phrase is not repeated: it is free text.
    private static string StatusName(HttpStatusCode status) =>
        Enum.IsDefined(status) ? string.Concat(status.ToString().Select((c, i) => i > 0 && char.IsAsciiLetterUpper(c) ? " " + c : c.ToString())) : "(no name)";
}
