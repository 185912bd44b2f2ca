using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// What a refusing host says, in one line: the distribution specification's JSON errors, S3's XML, or plain text. Of an
// S3 error only code and message are taken, because the rest repeats the signed request; what repeats a secret all the
// same is taken out (Redaction), before anything is cut, since half a secret is no better.
internal static partial class ErrorText
{
    public static string Of(ReadOnlySpan<byte> body, string? mediaType, HopRequest hop)
    {
        var text = Encoding.UTF8.GetString(body).Trim();
        if (text.Length == 0)
            return "";
        if (text[0] == '{')
            return OneLine(Redaction.Of(OfJson(body) ?? "(JSON that is no registry error)", hop));
        if (S3Code().Match(text) is { Success: true } code)
            return OneLine(Redaction.Of(code.Groups[1].Value + ": " + S3Message().Match(text).Groups[1].Value, hop));
        if (text[0] == '<')
            return mediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) == true
                || text.Contains("<html", StringComparison.OrdinalIgnoreCase)
                ? "(an HTML page)"
                : "(an XML document)";
        return OneLine(Redaction.Of(text, hop));
    }

    /// <summary>The first code of the specification's JSON errors.</summary>
    public static string? CodeOf(ReadOnlySpan<byte> body, HopRequest hop)
    {
        try
        {
            var errors = JsonSerializer.Deserialize(body, HttpJsonContext.Default.ErrorDocument)?.Errors;
            return errors is { Count: > 0 } && errors[0]?.Code is { } code ? OneLine(Redaction.Of(code, hop)) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // {"errors":[{"code":"BLOB_UNKNOWN","message":"...","detail":...}]}, and a token service's {"details":"..."}.
    private static string? OfJson(ReadOnlySpan<byte> body)
    {
        try
        {
            var document = JsonSerializer.Deserialize(body, HttpJsonContext.Default.ErrorDocument);
            if (document?.Errors is { Count: > 0 } errors)
                return string.Join("; ", errors.Where(e => e is not null).Select(e => $"{e!.Code}: {e.Message}"));
            return document?.Details ?? document?.Error;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string OneLine(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, RegistryLimits.ErrorTextCharsMax));
        foreach (var character in text)
        {
            if (line.Length == RegistryLimits.ErrorTextCharsMax)
                return line.Append("...").ToString();
            line.Append(char.IsControl(character) ? ' ' : character);
        }

        return line.ToString();
    }

    [GeneratedRegex("<Code>([^<]{1,100})</Code>")]
    private static partial Regex S3Code();

    [GeneratedRegex("<Message>([^<]{1,300})</Message>")]
    private static partial Regex S3Message();
}
