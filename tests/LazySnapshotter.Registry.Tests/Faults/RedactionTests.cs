using System.Net.Http.Headers;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Tests.Faults;

// What hosts say, without the secrets they repeat, and with everything else.
public sealed class RedactionTests
{
    [Theory]
    [InlineData("unauthorized: Basic authentication required")]
    [InlineData("the token: expired; refresh_token missing")]
    [InlineData("invalid signature")]
    [InlineData("blob sha256:6a3b1a19d9e8f429109352465cc0d060ca4d0b905ec27ed621a593f158d4d61c unknown to registry")]
    [InlineData("why? because")]
    public void Words_stay(string text) => Assert.Equal(text, Redaction.Of(text, Hop("https://registry.example/v2/")));

    [Theory]
    [InlineData("for https://x.example/y?sig=a%2Fb&se=1 no", "for https://x.example/y?(removed) no")]
    [InlineData("""got "access_token": "abcdefghijkl0123" there""", """got "access_token": "(removed)" there""")]
    [InlineData("Authorization: Bearer abc123def456 was sent", "Authorization: Bearer (removed) was sent")]
    [InlineData("a token eyJhbGciOi.eyJzdWIiOiIx.c2ln-_ of yours", "a token (removed) of yours")]
    [InlineData("X-Amz-Signature=0123456789abcdef&x=1", "X-Amz-Signature=(removed)&x=1")]
    public void What_looks_like_a_secret_goes(string text, string expected) =>
        Assert.Equal(expected, Redaction.Of(text, Hop("https://registry.example/v2/")));

    [Theory]
    [InlineData("you said hunter2!, did you", "you said (removed), did you")]
    [InlineData("pair me:hunter2! refused", "pair (removed) refused")]
    [InlineData("header bWU6aHVudGVyMiE= refused", "header (removed) refused")]
    [InlineData("escaped hunter2%21 too", "escaped (removed) too")]
    [InlineData("signed with s3cr3t/sig", "signed with (removed)")]
    public void What_this_request_carried_goes_in_every_form(string text, string expected)
    {
        var hop = Hop("https://cdn.example/blob?a=s3cr3t%2Fsig")
            with { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("me:hunter2!"u8)) };
        Assert.Equal(expected, Redaction.Of(text, hop));
    }

    private static HopRequest Hop(string uri) => new(new Uri(uri), RequestSubject.Ping);
}
