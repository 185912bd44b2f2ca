using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// A descriptor may name places itself (image-spec, "urls"). Its bytes come from there, and nobody there is shown anything.
public sealed class ForeignLayerTests
{
    private static readonly TestRegistryOptions Private =
        new() { Auth = TestAuthMode.Bearer, Username = "someone", Password = "correct horse", RedirectBlobs = true };

    [Fact]
    public async Task It_is_read_where_its_descriptor_says_without_ping_or_token()
    {
        await using var bench = await Bench.StartAsync(Private);
        await using var elsewhere = await TestRegistry.StartAsync();
        var blob = At(bench, UrlAt(elsewhere, bench));
        Assert.Equal(bench.Content[10..20], await bench.ReadAsync(10, 10, bench.Client.OpenBlob(bench.Reference, blob)));
        Assert.Equal(bench.Content[50..60], await bench.ReadAsync(50, 10, bench.Client.OpenBlob(bench.Reference, blob)));
        Assert.Empty(bench.Server.Requests);
        Assert.Equal(["Blob", "Blob"], elsewhere.Requests.Select(r => r.Kind.ToString()));
        Assert.All(elsewhere.Requests, r => Assert.Null(r.Authorization));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    [InlineData(503)]
    public async Task Where_one_place_does_not_have_it_the_next_one_is_asked(int status)
    {
        await using var bench = await Bench.StartAsync(Private);
        await using var first = await TestRegistry.StartAsync();
        await using var second = await TestRegistry.StartAsync();
        first.Faults.Add(Fault.Status(status));
        var blob = At(bench, UrlAt(first, bench), UrlAt(second, bench));
        Assert.Equal(bench.Content[10..20], await bench.ReadAsync(10, 10, bench.Client.OpenBlob(bench.Reference, blob)));
        Assert.Equal(206, Assert.Single(second.Requests).StatusCode);
        Assert.Empty(bench.Server.Requests);

        // And the one who has it is who is asked from now on.
        first.ClearLog();
        await bench.ReadAsync(0, 10, bench.Client.OpenBlob(bench.Reference, blob));
        Assert.Empty(first.Requests);
    }

    [Fact]
    public async Task The_registry_is_asked_last()
    {
        await using var bench = await Bench.StartAsync(Private);
        bench.WriteDockerConfig("someone", "correct horse");
        await using var elsewhere = await TestRegistry.StartAsync();
        elsewhere.Faults.Add(Fault.Status(404));
        var blob = At(bench, UrlAt(elsewhere, bench), "http://127.0.0.1:1/gone");
        Assert.Equal(bench.Content[10..20], await bench.ReadAsync(10, 10, bench.Client.OpenBlob(bench.Reference, blob)));
        Assert.Equal("Ping Token Blob Cdn", bench.TakeRequests());
        await bench.ReadAsync(0, 10, bench.Client.OpenBlob(bench.Reference, blob));
        Assert.Equal("Cdn", bench.TakeRequests());
        Assert.Single(elsewhere.Requests);
    }

    [Fact]
    public async Task Where_nobody_has_it_each_is_asked_once_and_the_next_read_begins_anew()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Content.RemoveBlob(Bench.Repository, bench.Blob.Digest);
        await using var elsewhere = await TestRegistry.StartAsync();
        elsewhere.Faults.Add(Fault.Status(404, times: 2));
        var blob = At(bench, UrlAt(elsewhere, bench), UrlAt(elsewhere, bench));
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.ReadAsync(0, 1, bench.Client.OpenBlob(bench.Reference, blob)));
        Assert.Equal(RegistryFailure.NotFound, error.Failure);
        Assert.Equal(2, elsewhere.Requests.Count);
        Assert.Equal(bench.Content[..1], await bench.ReadAsync(0, 1, bench.Client.OpenBlob(bench.Reference, blob)));
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://blobs.example/no-tls")]
    [InlineData("not a url")]
    [InlineData("/relative")]
    public async Task A_place_nobody_should_go_to_is_passed_over(string url)
    {
        await using var bench = await Bench.StartAsync();
        Assert.Equal(bench.Content[..9], await bench.ReadAsync(0, 9, bench.Client.OpenBlob(bench.Reference, At(bench, url))));
        Assert.Equal("Ping Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task Where_it_lies_is_not_written_down_for_it_is_in_the_descriptor()
    {
        await using var bench = await RestartBench.StartAsync();
        await using var elsewhere = await TestRegistry.StartAsync();
        await bench.Bench.ReadAsync(10, 10, bench.Client.OpenBlob(bench.Bench.Reference, At(bench.Bench, UrlAt(elsewhere, bench.Bench))));
        bench.Restart();
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Ping Blob", bench.TakeRequests());
    }

    private static Descriptor At(Bench bench, params string[] urls) => bench.Blob with { Urls = urls };

    private static string UrlAt(TestRegistry registry, Bench bench)
    {
        registry.Content.AddBlob("foreign", bench.Content);
        return $"http://{registry.Host}/v2/foreign/blobs/{bench.Blob.Digest}";
    }
}
