using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Program.Tests;

// On a machine that has nothing: every kind of command, and what is said where even OpenSSL is missing.
public sealed class BareSystemTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Doctor_finds_what_is_there()
    {
        await using var system = await BareSystem.CreateAsync();
        var doctor = await system.RunAsync("doctor");
        Assert.Equal("", doctor.Error);
        Assert.Matches(@"(?m)^ok +OpenSSL +libssl\.so\.3", doctor.Output);
        Assert.Matches("(?m)^ok +/dev/fuse", doctor.Output);
        Assert.Matches("(?m)^missing +containerd", doctor.Output);
    }

    [Fact]
    public async Task An_image_is_indexed_and_read_from_a_registry_that_the_machines_certificates_vouch_for()
    {
        await using var system = await BareSystem.CreateAsync();
        await using var registry = await TestRegistry.StartAsync(new TestRegistryOptions { Tls = true, Auth = TestAuthMode.Bearer });
        // Not by its address: loopback is spoken to in plain http.
        TestLayer.AddTo(registry);
        var reference = $"{registry.OtherHost}/image";
        await File.WriteAllTextAsync(system.PathOf("/etc/hosts"), "127.0.0.1 registry.test\n");
        await system.TrustAsync(registry.Certificate!.ExportCertificatePem());
        (await system.RunAsync("index", "build", reference)).Checked();
        Assert.Equal(TestLayer.Greeting, (await system.RunAsync("cat", reference, "/etc/link")).Checked().Output);
        Assert.Contains("large", (await system.RunAsync("ls", reference, "/etc")).Checked().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_is_mounted()
    {
        await using var system = await BareSystem.CreateAsync();
        await using var registry = await TestRegistry.StartAsync();
        await using var mount = system.Start("mount", TestLayer.AddTo(registry), "/mnt");
        await mount.WaitUntilAsync("mounted", () => Task.FromResult(mount.Log.Contains("Ctrl-C", StringComparison.Ordinal)), _patience);
        // The mount is the process's own; the kernel lets others look through its root.
        Assert.Equal(TestLayer.Greeting, await File.ReadAllTextAsync($"/proc/{mount.Id}/root/mnt/etc/greeting"));
        Assert.Equal(0, await mount.StopAsync(_patience));
    }

    [Fact]
    public async Task The_daemon_answers_containerds_own_client_and_its_database_outlives_it()
    {
        await using var system = await BareSystem.CreateAsync();
        var socket = system.PathOf("/run/l.sock");
        await using (var first = await ServeAsync(system))
        {
            (await SnapshotsAsync(socket, "prepare", "a-key")).Checked();
            var unknown = await SnapshotsAsync(socket, "info", "another");
            Assert.Contains("not found", unknown.Error, StringComparison.Ordinal);
            Assert.Equal(0, await first.StopAsync(_patience));
        }

        await using var second = await ServeAsync(system);
        Assert.Matches("(?m)^a-key +Active", (await SnapshotsAsync(socket, "ls")).Checked().Output);
        (await SnapshotsAsync(socket, "rm", "a-key")).Checked();
        Assert.Equal(0, await second.StopAsync(_patience));
        Assert.DoesNotContain("fail:", second.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_OpenSSL_one_line_says_so()
    {
        await using var system = await BareSystem.CreateAsync(withOpenSsl: false);
        string[][] commands = [["index", "build", "a.test/image"], ["mount", "a.test/image", "/mnt"], ["serve"], ["pull", "a.test/image"]];
        foreach (var command in commands)
        {
            var refused = await system.RunAsync(command);
            Assert.Equal(1, refused.ExitCode);
            Assert.Equal("lazysnap: OpenSSL is missing (libssl.so.3): nothing can be hashed or fetched; install libssl3\n", refused.Error);
        }

        var doctor = await system.RunAsync("doctor");
        Assert.Equal((1, ""), (doctor.ExitCode, doctor.Error));
        Assert.Matches("(?m)^missing +OpenSSL .*install libssl3", doctor.Output);
        (await system.RunAsync("--help")).Checked();
    }

    private static async Task<BackgroundProcess> ServeAsync(BareSystem system)
    {
        var daemon = system.Start("serve", "--address", "/run/l.sock", "--root", "/root", "--containerd", "/run/none.sock");
        await daemon.WaitUntilAsync("serving", () => Task.FromResult(daemon.Log.Contains("Serving ", StringComparison.Ordinal)), _patience);
        return daemon;
    }

    // It calls the snapshots service at whatever address it is given: containerd's, or a plugin's.
    private static Task<ProcessResult> SnapshotsAsync(string socket, params string[] arguments) => ProcessRunner.RunAsync(
        ContainerdInstallation.Client, ["--address", socket, "snapshots", "--snapshotter", LazyNode.Snapshotter, .. arguments]);
}
