namespace LazySnapshotter.Daemon.Tests.Conformance;

// containerd's suite, fourth part: a test that waits for the clock, apart so that the others need not wait for it.
public sealed class SnapshotTimeTests : ConformanceTest
{
    [Fact]
    public async Task LayerFileupdate()
    {
        for (var round = 0; round < 5; round++)
        {
            await CheckSnapshotsAsync(
                Change.All(
                    Change.CreateDirectory("/etc", "700"), Change.CreateFile("/etc/hosts", "mydomain 10.0.0.1", "644"),
                    Change.CreateFile("/etc/profile", "PATH=/usr/bin", "644")),
                Change.All(
                    Change.CreateFile("/etc/hosts", "mydomain 10.0.0.2", "644"), Change.CreateFile("/etc/profile", "PATH=/usr/bin", "666"),
                    Change.CreateDirectory("/root", "700"), Change.CreateFile("/root/.bashrc", "PATH=/usr/sbin:/usr/bin", "644")));

            // Each round begins right after a full second, where a comparison by whole seconds goes wrong.
            await Task.Delay(1000 - DateTime.UtcNow.Millisecond);
        }
    }
}
