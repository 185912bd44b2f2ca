namespace LazySnapshotter.Registry.Headers;

// What names in headers are made of (RFC 9110 section 5.6.2).
internal static class HttpToken
{
    public static bool IsCharacter(char character) =>
        char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~".Contains(character, StringComparison.Ordinal);
}
