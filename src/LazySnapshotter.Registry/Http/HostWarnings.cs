using System.Collections.Concurrent;
using System.Text;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Http;

// What a registry wants people to read: Warning: 299 - "text" (distribution-spec, "Warnings"). It comes with every answer
// of the host, and is said once for each text and host.
internal sealed class HostWarnings(ILogger logger)
{
    private const string Header = "Warning";
    private const string Code = "299";

    private readonly ConcurrentDictionary<(string Host, string Text), bool> _said = new();

    public void Read(HttpResponseMessage response, HopRequest hop)
    {
        if (!response.Headers.NonValidated.TryGetValues(Header, out var values))
            return;
        foreach (var value in values)
        {
            if (TextOf(value) is { Length: > 0 } text && _said.Count < RegistryLimits.HostWarningsMax
                && _said.TryAdd((hop.Host, Redaction.Of(text, hop)), true))
            {
                logger.HostWarns(hop.Host, Redaction.Of(text, hop));
            }
        }
    }

    /// <summary>The quoted text of a warning of code 299, on one line; null for any other.</summary>
    internal static string? TextOf(string value)
    {
        var parts = value.TrimStart().Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 3 || parts[0] != Code || parts[2][0] != '"')
            return null;
        var text = new StringBuilder();
        for (var i = 1; i < parts[2].Length && parts[2][i] != '"' && text.Length < RegistryLimits.ErrorTextCharsMax; i++)
        {
            if (parts[2][i] == '\\' && i + 1 < parts[2].Length)
                i++;
            text.Append(char.IsControl(parts[2][i]) ? ' ' : parts[2][i]);
        }

        return text.ToString().Trim();
    }
}
