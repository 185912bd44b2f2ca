using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Tests;

public sealed class LoopbackTests
{
    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:5000", true)]
    [InlineData("127.0.0.1:5000", true)]
    [InlineData("127.3.2.1", true)]
    [InlineData("[::1]:5000", true)]
    [InlineData("::1", true)]
    [InlineData("128.0.0.1", false)]
    [InlineData("localhost.example:5000", false)]
    [InlineData("127.0.0.1.example", false)]
    [InlineData("[::2]:5000", false)]
    [InlineData("10.0.0.1:5000", false)]
    public void Only_this_machine_is_spoken_to_in_plain_http(string host, bool plain) =>
        Assert.Equal(plain, new RegistryOptions().PlainHttp(host));

    [Fact]
    public void Hosts_can_be_listed_with_and_without_a_port()
    {
        var plain = RegistryOptions.PlainHttpOn(["one.example:5000", "two.example"]);
        Assert.True(plain("one.example:5000"));
        Assert.False(plain("one.example"));
        Assert.False(plain("one.example:5001"));
        Assert.True(plain("TWO.example:1234"));
        Assert.True(plain("localhost:1"));
        Assert.False(plain("three.example"));
    }
}
