using System.Buffers;
using System.Text;

namespace LazySnapshotter.TestSupport.Registry;

// Looks for secrets in text, in all the forms in which one gets there: as it is, as part of a URL or a form, and in
// base64, as itself or inside something longer.
public static class SecretScan
{
    // Shorter ones would be found in any text.
    private const int CharsMin = 6;

    private const int FoundMax = 20;

    /// <returns>What was found, with some text around it: for a failed test to show.</returns>
    public static IReadOnlyList<string> Find(IEnumerable<string> secrets, string text)
    {
        // All at once: a long run has thousands of signed URLs and megabytes of log.
        var forms = SearchValues.Create([.. secrets.Distinct().SelectMany(Forms).Distinct()], StringComparison.Ordinal);
        var found = new List<string>();
        for (var at = 0; found.Count < FoundMax;)
        {
            var next = text.AsSpan(at).IndexOfAny(forms);
            if (next < 0)
                break;
            at += next;
            found.Add($"...{text[Math.Max(0, at - 200)..at]}>>>{text[at..Math.Min(text.Length, at + 100)]}...");
            at++;
        }

        return found;
    }

    public static IEnumerable<string> Forms(string secret)
    {
        if (secret.Length < CharsMin)
            yield break;
        yield return secret;
        yield return Uri.EscapeDataString(secret);
        yield return Uri.EscapeDataString(secret).Replace("%20", "+", StringComparison.Ordinal);
        yield return System.Web.HttpUtility.UrlEncode(secret);
        yield return System.Text.Json.JsonEncodedText.Encode(secret).ToString();

        // In base64 three bytes are four characters: what a secret looks like depends on how many bytes stand before it. The
        // characters at its edges belong to its neighbours too, and are left out.
        var bytes = Encoding.UTF8.GetBytes(secret);
        for (var before = 0; before < 3; before++)
        {
            var skipped = (3 - before) % 3;
            var whole = (bytes.Length - skipped) / 3 * 3;
            if (whole < CharsMin)
                continue;
            var encoded = Convert.ToBase64String(bytes, skipped, whole);
            yield return encoded;
            yield return encoded.Replace('+', '-').Replace('/', '_');
        }
    }
}
