using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Inspection;
using LazySnapshotter.Registry.Tests.Hosts;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// What is found out about registries in several moods.
public sealed class InspectionTests : IAsyncLifetime
{
    private const string Repository = "team/image";

    private readonly TestDirectory _directory = TestDirectory.Create();
    private TestRegistry? _server;

    private TestRegistry Server => _server!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        await _directory.DisposeAsync();
    }

    [Fact]
    public async Task A_registry_that_wants_nothing_and_sends_everything_itself()
    {
        var report = await InspectAsync(new TestRegistryOptions());
        Assert.Equal(
            "Ok ping, Ok manifest, Ok manifest, unchanged, Ok HEAD of the manifest, Ok range of the largest layer, Ok redirect, Ok " +
                "another range, Ok HEAD of the layer, Ok referrers",
            Verdicts(report));
        Assert.Contains("wants anonymous", Found(report, "ping"), StringComparison.Ordinal);
        Assert.Contains("none", Found(report, "redirect"), StringComparison.Ordinal);
        Assert.Equal((2, 1, 3), (report.ColdRead!.Requests, report.ColdRead.Connections, report.ColdRead.RoundTrips));
        Assert.Equal((1, 0, 1), (report.WarmRead!.Requests, report.WarmRead.Connections, report.WarmRead.RoundTrips));
    }

    [Fact]
    public async Task Tokens_and_redirects_are_counted_and_their_lives_told()
    {
        var report = await InspectAsync(new TestRegistryOptions
        {
            Auth = TestAuthMode.Bearer,
            RedirectBlobs = true,
            TokenLifetime = TimeSpan.FromMinutes(5),
            UrlLifetime = TimeSpan.FromSeconds(60),
        });
        Assert.StartsWith("Ok ping, Ok token, Ok manifest", Verdicts(report), StringComparison.Ordinal);
        Assert.Contains("wants bearer", Found(report, "ping"), StringComparison.Ordinal);
        Assert.Equal($"from {Server.TokenHost}, good for 300 s", Found(report, "token"));
        var redirect = report.Steps.Single(step => step.Name == "redirect");
        Assert.Equal(InspectionVerdict.Costs, redirect.Verdict);
        Assert.StartsWith($"1 to {Server.CdnHost}, good for 5", redirect.Found, StringComparison.Ordinal);
        Assert.Equal(["307", "206"], report.Steps.Single(
            step => step.Name == "range of the largest layer").Requests.Select(r => r.StatusCode.ToString()));
        Assert.Equal((4, 3, 7), (report.ColdRead!.Requests, report.ColdRead.Connections, report.ColdRead.RoundTrips));
        Assert.Equal(1, report.WarmRead!.Requests);
        foreach (var secret in Server.Tokens.Secrets)
            Assert.DoesNotContain(secret, string.Join(' ', report.Steps.SelectMany(s => s.Requests)) + report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_without_ranges_is_told_as_such()
    {
        var report = await InspectAsync(new TestRegistryOptions(), new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true });
        Assert.Equal(InspectionVerdict.Missing, report.Steps.Single(step => step.Name == "range of the largest layer").Verdict);
        Assert.False(report.Failed);
    }

    [Fact]
    public async Task A_registry_without_referrers_and_preconditions_costs_more()
    {
        var report = await InspectAsync(new TestRegistryOptions { ReferrersApi = false, Preconditions = false });
        Assert.Contains("Costs manifest, unchanged", Verdicts(report), StringComparison.Ordinal);
        Assert.Contains("Costs referrers", Verdicts(report), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_HEAD_that_is_refused_is_no_failure()
    {
        var report = await InspectAsync(
            new TestRegistryOptions(), Fault.Status(405, TestRequestKind.Blob) with { When = r => r.Method == "HEAD" });
        Assert.Equal(InspectionVerdict.Costs, report.Steps.Single(step => step.Name == "HEAD of the layer").Verdict);
        Assert.False(report.Failed);
    }

    [Theory]
    [InlineData(TestRequestKind.Token, "Ok ping, Failed token")]
    [InlineData(TestRequestKind.Manifest, "Ok ping, Ok token, Failed manifest")]
    public async Task What_fails_is_the_last_step(TestRequestKind kind, string expected)
    {
        var report = await InspectAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer }, Fault.Status(403, kind));
        Assert.True(report.Failed);
        Assert.Equal(expected, Verdicts(report));
        Assert.Contains("403 Forbidden", report.Steps[^1].Found, StringComparison.Ordinal);
        Assert.Null(report.ColdRead);
    }

    [Fact]
    public async Task Ranges_that_are_refused_are_missing()
    {
        var report = await InspectAsync(
            new TestRegistryOptions(), Fault.Status(403, TestRequestKind.Blob) with { When = request => request.Range is not null });
        Assert.Equal(InspectionVerdict.Missing, report.Steps.Single(step => step.Name == "range of the largest layer").Verdict);
        Assert.Equal("403 to a range, of no use: the whole layer is sent without one", Found(report, "range of the largest layer"));
    }

    [Fact]
    public async Task A_ping_that_is_refused_costs_and_the_rest_is_inspected()
    {
        var report = await InspectAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer }, Fault.Status(403, TestRequestKind.Ping));
        Assert.StartsWith("Costs ping, Ok manifest,", Verdicts(report), StringComparison.Ordinal);
        Assert.Contains("ping: 403 Forbidden", Found(report, "ping"), StringComparison.Ordinal);
        Assert.NotNull(report.ColdRead);
        Assert.False(report.Failed);
    }

    [Fact]
    public async Task A_mirror_that_does_not_answer_costs_and_the_next_host_is_inspected()
    {
        await using var bench = await MirrorBench.StartAsync("[host.\"http://127.0.0.1:1\"]\n");
        bench.Upstream.Content.AddImage(MirrorBench.Repository, "latest", [bench.Blob]);
        var report = await RegistryInspection.RunAsync(
            bench.Reference with { Tag = "latest" }, Platform.Current, bench.Options with { RetryLimit = 0 }, new CapturedLogs(),
            CancellationToken.None);
        Assert.StartsWith(
            $"Costs ping of 127.0.0.1:1, Ok ping of {bench.Upstream.Host}, Ok manifest", Verdicts(report), StringComparison.Ordinal);
        Assert.EndsWith("Ok HEAD of the layer, Ok referrers", Verdicts(report), StringComparison.Ordinal);
        Assert.False(report.Failed);
    }

    [Fact]
    public async Task Docker_registry_has_no_referrers_and_everything_else()
    {
        await using var registry = await DockerRegistry.StartAsync();
        var layout = _directory.Combine("layout");
        var file = _directory.Combine("file");
        await File.WriteAllBytesAsync(file, Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31 / 7)).ToArray());
        (await ProcessRunner.RunAsync("umoci", ["init", "--layout", layout])).Checked();
        (await ProcessRunner.RunAsync("umoci", ["new", "--image", layout + ":v1"])).Checked();
        (await ProcessRunner.RunAsync("umoci", ["insert", "--rootless", "--image", layout + ":v1", file, "/file"])).Checked();
        var reference = await registry.PushAsync($"oci:{layout}:v1", "team/image:v1");
        var report = await InspectAsync(ImageReference.Parse(reference));
        Assert.Equal(
            "Ok ping, Ok manifest, Ok manifest, unchanged, Ok HEAD of the manifest, Ok range of the largest layer, Ok redirect, Ok " +
                "another range, Ok HEAD of the layer, Costs referrers",
            Verdicts(report));
        Assert.Equal(2, report.ColdRead!.Requests);
    }

    private async Task<InspectionReport> InspectAsync(TestRegistryOptions options, params Fault[] faults)
    {
        _server = await TestRegistry.StartAsync(options);
        var content = new byte[50_000];
        new Random(5).NextBytes(content);
        var small = Server.Content.AddBlob(Repository, content[..100]);
        var layer = Server.Content.AddBlob(Repository, content);
        Server.Content.AddImage(Repository, "latest", [small, layer]);
        foreach (var fault in faults)
            Server.Faults.Add(fault);
        return await InspectAsync(Server.Reference(Repository));
    }

    private Task<InspectionReport> InspectAsync(ImageReference reference) => RegistryInspection.RunAsync(
        reference, Platform.Current, Bench.Impatient with { DockerConfigPath = _directory.Combine("none.json"), RetryLimit = 0 },
        new CapturedLogs(), CancellationToken.None);

    private static string Verdicts(InspectionReport report) =>
        string.Join(", ", report.Steps.Select(step => $"{step.Verdict} {step.Name}"));

    private static string Found(InspectionReport report, string name) => report.Steps.Single(step => step.Name == name).Found;
}
