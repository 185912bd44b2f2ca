using System.Net.Http.Headers;
using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Fuzz.Targets;

// A token service's answer. What is taken can stand in a header and has a time to live.
internal sealed class TokenTarget : FuzzTarget
{
    private static readonly DateTimeOffset _now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    public override string Name => "token";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        """{"token":"abc.def","expires_in":300,"issued_at":"2020-01-01T00:00:00Z"}""",
        """{"access_token":"abc","token":"","expires_in":"60.5","refresh_token":"r"}""",
        """{"token":"t","expires_in":null,"refresh_token":{"a":[]}}""");

    public override IReadOnlyList<string> Words { get; } =
        ["\"token\":", "\"access_token\":", "\"expires_in\":", "\"refresh_token\":", "1e400", "\"NaN\"", "\\ud800", "-1"];

    public override int LengthMax => 2048;

    public override bool IsRefusal(Exception exception) => exception is RegistryException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var answer = TokenAnswer.Read(input.ToArray(), "application/json", "auth.example", RequestSubject.Token("repository:x:pull"), _now);
        if (answer.RefreshToken is { Length: 0 })
            throw new InvalidOperationException("an empty refresh token");
        using var request = new HttpRequestMessage();
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", answer.Token.Value);
        if (answer.Token.FreshnessAt(_now) != Freshness.Fresh)
            throw new InvalidOperationException("a token that expired before it came");
    }
}
