using System.Text.RegularExpressions;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.IntegrationTests;

// The outside world at its worst, seen from a container: the daemon stays up, says what was wrong, loses nothing, and
// where containerd's ordinary unpacking can serve, it does.
public sealed class FaultTests : IAsyncLifetime
{
    private TestImage _image = null!;
    private TestRegistry _registry = null!;
    private LazyNode _node = null!;

    private string Reference => _registry.Reference("python").ToString();

    public async Task InitializeAsync()
    {
        _image = await TestImages.Python;
        _registry = await TestRegistry.StartAsync();
        _registry.Content.AddLayout("python", _image.LayoutPath);
        _node = await LazyNode.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Bytes_that_do_not_match_their_digest_are_never_served_and_the_next_read_works()
    {
        await _node.IndexAsync(Reference);
        await _node.PullAsync(Reference);
        _registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, CorruptAt = 1000 });

        var broken = await _node.Containerd.RunAsync(Reference, LazyNode.Snapshotter);
        Assert.NotEqual(0, broken.ExitCode);
        Assert.Contains("arrived with a wrong digest", _node.Daemon.Log, StringComparison.Ordinal);
        AssertLoggedEio(@"sha256:[0-9a-f]{64}: span \d+ \(bytes \d+ to \d+\) cannot be fetched");

        _registry.Faults.Clear();
        await AssertRunsAsync();
    }

    [Fact]
    public async Task A_registry_that_ignores_ranges_is_served_from_all_the_same()
    {
        await _node.IndexAsync(Reference);
        await _node.PullAsync(Reference);
        _registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true });
        await AssertRunsAsync();
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_blob_the_registry_refuses_is_EIO_and_one_log_line_until_it_gives_it(int status)
    {
        await _node.IndexAsync(Reference);
        await _node.PullAsync(Reference);
        _registry.Faults.Add(Fault.Status(status, TestRequestKind.Blob));

        var broken = await _node.Containerd.RunAsync(Reference, LazyNode.Snapshotter);
        Assert.NotEqual(0, broken.ExitCode);
        AssertLoggedEio($@"sha256:[0-9a-f]{{64}}: span \d+ \(bytes \d+ to \d+\) cannot be fetched: .*\b{status}\b");

        _registry.Faults.Clear();
        await AssertRunsAsync();
    }

    [Fact]
    public async Task A_damaged_index_is_kept_for_a_person_and_made_anew()
    {
        await _node.IndexAsync(Reference);
        var indexes = IndexFiles.All(_node.Daemon.Root);
        foreach (var path in indexes)
        {
            var bytes = await File.ReadAllBytesAsync(path);
            bytes[bytes.Length / 3] ^= 0x10;
            await File.WriteAllBytesAsync(path, bytes);
        }

        await _node.PullAsync(Reference);
        await AssertRunsAsync();
        Assert.NotEmpty(IndexFiles.Damaged(_node.Daemon.Root));
        Assert.Contains("damaged", _node.Daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_layer_that_cannot_be_lazy_is_unpacked_by_containerd_and_the_rest_stays_lazy()
    {
        await _node.IndexAsync(Reference);
        var uppermost = _image.Layers[^1];
        File.Delete(IndexFiles.Of(_node.Daemon.Root, uppermost.Digest));

        // Whatever the daemon streams of this layer is wrong; containerd's own download comes later and is right.
        _registry.Faults.Add(new Fault
        {
            Kind = TestRequestKind.Blob,
            When = request => request.Path.EndsWith(uppermost.Digest.ToString(), StringComparison.Ordinal)
                && request.UserAgent is { } agent && agent.StartsWith("lazysnap", StringComparison.Ordinal),
            CorruptAt = 20,
            Times = 2,
        });

        var pulled = await _node.PullAsync(Reference);
        Assert.Contains("3 lazy, 1 unpacked", pulled.Output, StringComparison.Ordinal);
        await AssertRunsAsync();
        Assert.Contains(
            _node.Daemon.Log.Split('\n'),
            line =>
                line.Contains("warn:", StringComparison.Ordinal) && line.Contains(uppermost.Digest.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_containerds_labels_everything_goes_the_ordinary_way()
    {
        // ctr's own pull of 1.6 says nothing about layers: the plugin is then an overlay snapshotter like any other.
        await _node.Containerd.PullAsync(Reference, LazyNode.Snapshotter);
        await AssertRunsAsync();
    }

    [Fact]
    public async Task Serve_says_what_is_wrong_with_its_surroundings()
    {
        var absent = await LazysnapProcess.RunAsync("pull", "--containerd", "/nowhere/containerd.sock", Reference);
        Assert.Equal(1, absent.ExitCode);
        Assert.Contains("/nowhere/containerd.sock", absent.Error, StringComparison.Ordinal);

        var unwritable = await LazysnapProcess.RunAsync("serve", "--root", "/proc/lazysnap", "--address", _node.Daemon.Address + "3");
        Assert.Equal(1, unwritable.ExitCode);
        Assert.Contains("/proc/lazysnap", unwritable.Error, StringComparison.Ordinal);
    }

    private void AssertLoggedEio(string cause) => Assert.Contains(
        _node.Daemon.Log.Split('\n'),
        line => line.Contains("answered with EIO", StringComparison.Ordinal) && Regex.IsMatch(line, cause));

    private async Task AssertRunsAsync()
    {
        var run = (await _node.Containerd.RunAsync(Reference, LazyNode.Snapshotter)).Checked();
        Assert.StartsWith("numpy ", run.Output, StringComparison.Ordinal);
    }
}
