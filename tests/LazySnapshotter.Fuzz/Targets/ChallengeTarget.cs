using System.Text;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Fuzz.Targets;

// WWW-Authenticate, a header a line. Whatever is in it, it is no reason to throw.
internal sealed class ChallengeTarget : FuzzTarget
{
    public override string Name => "challenge";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:x:pull\"",
        "Negotiate YII=, Basic realm=\"a \\\"b\\\"\"\nDigest a=b , c = d");

    public override IReadOnlyList<string> Words { get; } = ["Bearer ", "Basic ", "realm=", "service=", "scope=", "\\\"", ",,", "=="];

    public override int LengthMax => 2048;

    public override bool IsRefusal(Exception exception) => exception is InvalidDataException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var challenges = ChallengeParser.Parse(Encoding.Latin1.GetString(input).Split('\n'));
        if (challenges.Count > RegistryLimits.ChallengesMax)
            throw new InvalidOperationException($"{challenges.Count} challenges");
        if (AuthenticationChallenge.Choose(challenges) is not { } chosen)
            throw new InvalidDataException("nothing to choose from");
        _ = (chosen.Realm, chosen.Service, chosen.Scope, chosen.IsSameService(chosen));
    }
}
