using System.Net;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Http;

// Turns an answer that is not what was asked for into the error that says why.
internal static class ResponseCheck
{
    /// <exception cref="RegistryException">The status is not in the 200s. Takes the host's own words.</exception>
    public static async Task EnsureSuccessAsync(
        HttpResponseMessage response, HopRequest hop, RegistryOptions options, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw await ErrorAsync(response, hop, options, cancellationToken);
    }

    public static async Task<RegistryException> ErrorAsync(
        HttpResponseMessage response, HopRequest hop, RegistryOptions options, CancellationToken cancellationToken)
    {
        var body = await ExplanationAsync(response, hop, options, cancellationToken);
        var said = ErrorText.Of(body, response.Content.Headers.ContentType?.MediaType, hop);
        // Then there is nothing we could show. A token service is shown what there is without being asked.
        var isUnmet = response.StatusCode == HttpStatusCode.Unauthorized && hop.Subject.Kind != RegistryRequestKind.Token;
        var wants = isUnmet && AuthenticationChallenge.Of(response) is null
            ? ", without a Basic or Bearer challenge"
            : "";
        var cause = $"{(int)response.StatusCode} {StatusName(response.StatusCode)}{wants}" + (said.Length == 0 ? "" : ": " + said);
        var isTransient = TransientStatus.Is(response.StatusCode);
        return hop.Subject.Error(
            isTransient ? RegistryFailure.Unavailable : FailureOf(
                response.StatusCode), hop.Host, cause, response.StatusCode, code: ErrorText.CodeOf(body, hop), isTransient: isTransient);
    }

    /// <summary>
    /// Whether a HEAD was refused where a GET may not be: not implemented, not let through, or redirected to a URL that is signed
    /// for GET (S3: 403). What is not there (404) is not there for GET either.
    /// </summary>
    public static bool IsHeadRefused(HttpStatusCode status) => status == HttpStatusCode.NotImplemented
        || (status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
            && status is not (HttpStatusCode.Unauthorized or HttpStatusCode.NotFound) && !TransientStatus.Is(status));

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
        Enum.IsDefined(status)
            ? string.Concat(status.ToString().Select((c, i) => i > 0 && char.IsAsciiLetterUpper(c) ? " " + c : c.ToString()))
            : "(no name)";
}
