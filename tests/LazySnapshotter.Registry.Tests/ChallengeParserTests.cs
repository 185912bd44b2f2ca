using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Tests;

public sealed class ChallengeParserTests
{
    // Each challenge as "scheme name=value;name=value".
    [Theory]
    [InlineData("", "")]
    [InlineData("Basic", "basic ")]
    [InlineData("Basic realm=\"x\"", "basic realm=x")]
    [InlineData("BASIC REALM=x", "basic REALM=x")]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"",
        "bearer realm=https://auth.docker.io/token;service=registry.docker.io")]
    [InlineData("Bearer realm=https://a/token?x=1,service=b", "bearer realm=https://a/token?x=1;service=b")]
    [InlineData("Bearer  realm = \"a\" ,\tservice = \"b\"", "bearer realm=a;service=b")]
    [InlineData("Bearer realm=\"a, b=\\\"c\\\"\",scope=\"repository:x:pull,push\"", "bearer realm=a, b=\"c\";scope=repository:x:pull,push")]
    [InlineData("Basic realm=\"a\", Bearer realm=\"b\",service=\"c\"", "basic realm=a | bearer realm=b;service=c")]
    [InlineData("Negotiate, Basic realm=\"a\"", "negotiate  | basic realm=a")]
    [InlineData("Negotiate YII=, Basic realm=\"a\"", "negotiate YII= | basic realm=a")]
    [InlineData("Negotiate YII==, Basic realm=\"a\"", "negotiate YII== | basic realm=a")]
    [InlineData("Negotiate a/b+c, Basic realm=\"a\"", "negotiate  | basic realm=a")]
    [InlineData(",,, Basic realm=a,,,", "basic realm=a")]
    [InlineData("Bearer realm=\"unclosed", "bearer realm=unclosed")]
    [InlineData("Bearer realm=\"ends in backslash\\", "bearer realm=ends in backslash\\")]
    [InlineData("Bearer realm=", "bearer realm=")]
    [InlineData("Bearer realm=\"a\",realm=\"b\"", "bearer realm=a")]
    [InlineData("realm=\"a\", Basic realm=\"b\"", "basic realm=b")]
    [InlineData("\"quoted\" Basic realm=\"b\"", "quoted  | basic realm=b")]
    [InlineData("=,;\"", "")]
    [InlineData("Bearer error=\"insufficient_scope\",realm=\"a\"", "bearer error=insufficient_scope;realm=a")]
    public void Challenges_are_told_apart(string header, string expected) =>
        Assert.Equal(expected, string.Join(" | ", ChallengeParser.Parse([header]).Select(Describe)));

    [Fact]
    public void Headers_are_read_in_order()
    {
        var challenges = ChallengeParser.Parse(["Basic realm=\"a\"", "Bearer realm=\"b\""]);
        Assert.Equal(["basic", "bearer"], challenges.Select(c => c.Scheme));
        Assert.True(AuthenticationChallenge.Choose(challenges)!.IsBearer);
    }

    [Fact]
    public void A_Bearer_without_a_realm_is_passed_over_for_Basic() =>
        Assert.True(AuthenticationChallenge.Choose(ChallengeParser.Parse(["Bearer service=\"a\", Basic realm=\"b\""]))!.IsBasic);

    [Fact]
    public void What_is_too_long_is_passed_over() =>
        Assert.Empty(ChallengeParser.Parse(["Bearer realm=\"" + new string('x', 1 << 20) + "\""]));

    [Fact]
    public void Not_more_than_sixteen_are_taken() =>
        Assert.Equal(16, ChallengeParser.Parse([string.Join(", ", Enumerable.Repeat("Basic realm=a", 100))]).Count);

    [Fact]
    public void Anything_at_all_ends_in_an_answer()
    {
        const int Seed = 4711;
        var random = new Random(Seed);
        const string Alphabet = "Ba =,\"\\\t;/é\0";
        for (var i = 0; i < 50_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
            Assert.True(ChallengeParser.Parse([text]).Count <= 16, $"seed {Seed}: {text}");
        }
    }

    private static string Describe(AuthenticationChallenge challenge) =>
        challenge.Scheme + " " + string.Join(';', challenge.Parameters.Select(p => $"{p.Key}={p.Value}"));
}
