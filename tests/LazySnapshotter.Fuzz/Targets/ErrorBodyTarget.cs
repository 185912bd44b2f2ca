using System.Net.Http.Headers;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Fuzz.Targets;

// Bodies of refusals, of which one line is shown to people: whatever is in them, it is one line and not a long one, and does
// not repeat what the request carried.
internal sealed class ErrorBodyTarget : FuzzTarget
{
    private const string Secret = "tOpSeCrEt0123456789";

    private static readonly HopRequest _hop = new(new Uri($"https://bucket.example/blob?X-Amz-Signature={Secret}"), RequestSubject.Ping)
    {
        Authorization = new AuthenticationHeaderValue("Bearer", Secret),
    };

    public override string Name => "error-body";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        """{"errors":[{"code":"BLOB_UNKNOWN","message":"no such blob","detail":{"a":1}},null]}""",
        """{"details":"incorrect username or password"}""",
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
        "<html><body>502</body></html>", $"Bearer {Secret} is not valid for https://bucket.example/?sig={Secret}", "");

    public override IReadOnlyList<string> Words { get; } =
        ["\"errors\":[", "\"code\":", "\"message\":", "<Code>", "</Code>", "<Message>", "token=", "password: ", "eyJ", "Bearer ", "Basic ",
            Secret, "\\ud800", "\\n"];

    public override int LengthMax => 4096;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        foreach (var text in (ReadOnlySpan<string?>)[ErrorText.Of(input, "text/html", _hop), ErrorText.CodeOf(input, _hop)])
        {
            if (text is null)
                continue;
            if (text.Length > RegistryLimits.ErrorTextCharsMax + 3 || text.Any(char.IsControl))
                throw new InvalidOperationException($"more than a line: {text}");
            if (text.Contains(Secret, StringComparison.OrdinalIgnoreCase))
                throw new InvalidOperationException($"a secret: {text}");
        }

        if (input.Length > 0 && input[0] == 0)
            throw new InvalidDataException("some must be refused"); // Nothing is otherwise.
    }
}
