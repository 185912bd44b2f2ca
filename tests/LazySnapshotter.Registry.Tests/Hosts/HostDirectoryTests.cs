using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Hosts;

// Which directory counts for a registry, and what happens when something in it changes while the client lives.
public sealed class HostDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("lazysnap-certs-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("r.example:5000", "r.example_5000_ r.example:5000 _default", "r.example_5000_")]
    [InlineData("r.example:5000", "r.example:5000 _default", "r.example:5000")]
    [InlineData("r.example:5000", "r.example _default", "_default")]
    [InlineData("docker.io", "docker.io _default", "docker.io")]
    [InlineData("docker.io", "registry-1.docker.io", null)]
    [InlineData("[::1]:5000", "[::1]_5000_", "[::1]_5000_")]
    [InlineData("..", "docker.io", null)]
    [InlineData("..", "_default", "_default")]
    public void The_first_directory_that_exists_counts(string registry, string there, string? found)
    {
        foreach (var name in there.Split(' '))
            Directory.CreateDirectory(Path.Combine(_root, name));
        Assert.Equal(found is null ? null : Path.Combine(_root, found), HostDirectory.Find($"{_root}/none:{_root}", registry));
        Assert.Null(HostDirectory.Find(null, registry));
    }

    [Fact]
    public async Task The_default_directory_is_for_every_registry_that_has_none()
    {
        await using var bench = await MirrorBench.StartAsync();
        var directory = Path.GetDirectoryName(bench.HostsFilePath)!;
        Directory.Move(directory, Path.Combine(Path.GetDirectoryName(directory)!, "_default"));
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Blob; upstream: ", bench.TakeRequests());
    }

    [Fact]
    public async Task A_change_needs_no_restart_and_costs_nothing_where_nothing_changed()
    {
        await using var bench = await MirrorBench.StartAsync(
            "# nothing yet\n", upstream: new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: ; upstream: Ping Token Blob", bench.TakeRequests());

        bench.WriteHosts("[host.\"http://{0}\"]\n");
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        bench.Mirror.Faults.Add(Fault.Status(404));
        bench.Upstream.Content.AddImage(MirrorBench.Repository, "latest", [bench.Blob]);
        await bench.Client.GetManifestAsync(bench.Reference, CancellationToken.None);
        Assert.Equal("mirror: Ping Manifest; upstream: Manifest", bench.TakeRequests());

        File.Delete(bench.HostsFilePath);
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        await bench.Client.GetManifestAsync(bench.Reference, CancellationToken.None);
        Assert.Equal("mirror: ; upstream: Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task A_broken_file_is_an_error_with_its_place_nothing_is_sent_and_repairing_it_is_enough()
    {
        await using var bench = await MirrorBench.StartAsync("server = \"http://{1}\"\n[host.\"http://{0}\"]\n  ca = \"gone.pem\"\n");
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.AssertReadsAsync(0, 100));
        Assert.Equal((RegistryFailure.Misconfigured, false), (error.Failure, error.IsTransient));
        Assert.Contains($"{bench.HostsFilePath}: line 3, column 8: {Path.GetDirectoryName(bench.HostsFilePath)}/gone.pem cannot be read",
            error.Message, StringComparison.Ordinal);
        Assert.Equal("mirror: ; upstream: ", bench.TakeRequests());

        bench.WriteHosts("server = \"http://{1}\"\n[host.\"http://{0}\"]\n");
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Blob; upstream: ", bench.TakeRequests());
    }

    [Fact]
    public async Task A_file_that_breaks_while_it_is_in_use_leaves_what_was_and_warns_once()
    {
        await using var bench = await MirrorBench.StartAsync();
        await bench.AssertReadsAsync(0, 100);
        bench.WriteHosts("[host.\"http://{0}\"\n");
        for (var i = 0; i < 3; i++)
        {
            bench.Clock.Advance(TimeSpan.FromSeconds(2));
            await bench.AssertReadsAsync(1000 * i, 100);
        }

        Assert.Equal("mirror: Ping Blob Blob Blob Blob; upstream: ", bench.TakeRequests());
        Assert.Single(bench.Log.Text.Split('\n'), line => line.Contains("cannot be used, going on with the one before",
            StringComparison.Ordinal) && line.Contains("line 1, column ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_nobody_knows_are_warned_of()
    {
        await using var bench = await MirrorBench.StartAsync("skip_verfy = true\n");
        await bench.AssertReadsAsync(0, 100);
        Assert.Contains($"{bench.HostsFilePath}: line 1: nothing is known of \"skip_verfy\"", bench.Log.Text, StringComparison.Ordinal);
    }
}
