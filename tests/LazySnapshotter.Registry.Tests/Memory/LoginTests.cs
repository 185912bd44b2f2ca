using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// A token is good for whom it was given. After a restart it is used only if the credentials that would be shown now are
// those it was got with.
public sealed class LoginTests
{
    private static readonly TestRegistryOptions Private =
        new() { Auth = TestAuthMode.Bearer, Username = "someone", Password = "correct horse" };

    [Fact]
    public async Task The_same_login_needs_no_new_token()
    {
        await using var bench = await StartAsync();
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task The_same_login_found_in_another_way_needs_no_new_token()
    {
        await using var bench = await StartAsync();
        bench.Stop();
        File.WriteAllText(bench.Bench.DockerConfigPath,
            $$$$"""{"auths":{"https://{{{{bench.Server.Host}}}}/v2/":{"username":"someone","password":"correct horse"}}}""");
        bench.Start();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Theory]
    [InlineData("somebody else", "correct horse")]
    [InlineData("someone", "another password")]
    public async Task Somebody_else_does_not_get_the_token(string username, string password)
    {
        await using var bench = await StartAsync();
        bench.Stop();
        bench.Bench.WriteDockerConfig(username, password);
        bench.Start();
        var error = await FailsAsync(bench);
        Assert.Equal(RegistryFailure.Unauthorized, error.Failure);
        Assert.Equal("Token", bench.TakeRequests());
    }

    [Fact]
    public async Task After_a_logout_the_token_is_not_used()
    {
        await using var bench = await StartAsync();
        bench.Stop();
        File.Delete(bench.Bench.DockerConfigPath);
        bench.Start();
        await FailsAsync(bench);
        Assert.Equal("Token", bench.TakeRequests());
    }

    [Fact]
    public async Task A_token_for_anybody_is_not_used_after_a_login()
    {
        await using var bench = await RestartBench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        await bench.AssertReadsAsync(0, 1);
        bench.Stop();
        bench.Bench.WriteDockerConfig("someone", "correct horse");
        bench.Start();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Token Blob", bench.TakeRequests());
        bench.Restart();
        await bench.AssertReadsAsync(2, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task What_an_image_brought_along_is_not_used_without_it()
    {
        await using var bench = await RestartBench.StartAsync(Private);
        bench.Client.UseCredentials(bench.Bench.Reference, "someone", "correct horse");
        await bench.AssertReadsAsync(0, 1);
        bench.Restart();
        await FailsAsync(bench);
        Assert.Equal("Token", bench.TakeRequests());

        bench.Stop();
        bench.Start().UseCredentials(bench.Bench.Reference, "someone", "correct horse");
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task Nothing_of_the_login_can_be_found_in_the_file()
    {
        await using var bench = await StartAsync();
        bench.Stop();
        var written = File.ReadAllText(bench.MemoryPath);
        foreach (var part in (string[])["someone", "correct", "horse", Convert.ToBase64String("someone:correct horse"u8)])
            Assert.DoesNotContain(part, written, StringComparison.Ordinal);
    }

    private static async Task<RestartBench> StartAsync()
    {
        var bench = await RestartBench.StartAsync(Private);
        bench.Bench.WriteDockerConfig("someone", "correct horse");
        await bench.AssertReadsAsync(0, 1);
        return bench;
    }

    private static Task<RegistryException> FailsAsync(RestartBench bench) =>
        Assert.ThrowsAsync<RegistryException>(() => bench.AssertReadsAsync(1, 1));
}
