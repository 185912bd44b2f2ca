using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Tests;

// Calls that overlap: the same target twice, and a layer that is released while it is mounted.
public sealed class RemoteSnapshotRaceTests : SnapshotterTest
{
    [Fact]
    public async Task Many_prepares_of_one_target_mount_it_once_and_all_find_it()
    {
        Mounter.Before = (_, token) => Task.Delay(50, token);
        var calls = Enumerable.Range(0, 20).Select(i => Task.Run(() =>
            PrepareRemoteAsync($"k{i}", "", RemoteLabels("c1", DigestOf(1)))));
        await Task.WhenAll(calls);
        Assert.Single(Mounter.Mounted);
        Assert.Equal("c1", Assert.Single(Snapshotter.List([])).Name);
    }

    [Fact]
    public async Task One_that_waits_for_another_takes_over_when_that_one_gives_up()
    {
        using var cancellation = new CancellationTokenSource();
        var firstIsIn = new TaskCompletionSource();
        Mounter.Before = async (_, token) =>
        {
            if (firstIsIn.TrySetResult())
                await Task.Delay(Timeout.Infinite, token);
        };
        var first = PrepareAsync("k1", "", RemoteLabels("c1", DigestOf(1)), cancellation.Token);
        await firstIsIn.Task;
        var second = PrepareRemoteAsync("k2", "", RemoteLabels("c1", DigestOf(1)));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal("c1", (await second).Name);
    }

    [Fact]
    public async Task Layer_released_between_its_mount_and_its_row_is_mounted_again()
    {
        await PrepareAsync("p-tmp");
        Commit("p", "p-tmp");
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));

        // The second snapshot of the layer is mounted, and then the first one, which keeps the layer, is removed.
        Mounter.After = async id =>
        {
            if (id == 1)
                await Snapshotter.RemoveAsync("c1");
        };
        var info = await PrepareRemoteAsync("k2", "p", RemoteLabels("c2", DigestOf(1)));
        Assert.Equal([1], Mounter.Released);
        Assert.Equal([2], Mounter.Kept);
        Assert.Equal([2], Snapshotter.LayersInUse());
        Assert.True(System.IO.Directory.Exists((await Snapshotter.ViewAsync(
            "v", info.Name, NoLabels, CancellationToken.None))[0].Options[0]["lowerdir=".Length..].Split(':')[0]));
    }

    [Fact]
    public async Task Layer_whose_row_cannot_be_written_is_released()
    {
        await PrepareAsync("p-tmp");
        Commit("p", "p-tmp");
        Mounter.After = async _ => await Snapshotter.RemoveAsync("p");
        await Assert.ThrowsAsync<SnapshotNotFoundException>(() => PrepareAsync("k", "p", RemoteLabels("c", DigestOf(1))));
        Assert.Empty(Mounter.Kept);
        Assert.Empty(Snapshotter.List([]));
    }

    [Fact]
    public async Task Prepares_and_removals_at_random_leave_rows_and_layers_in_step()
    {
        var seed = Environment.TickCount;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(seed + worker);
            for (var i = 0; i < 60; i++)
            {
                var layer = random.Next(3);
                try
                {
                    if (random.Next(2) == 0)
                        await Snapshotter.PrepareAsync(
                            $"k-{worker}-{i}", "", RemoteLabels($"c{layer}-{random.Next(2)}", DigestOf(layer)), CancellationToken.None);
                    else
                        await Snapshotter.RemoveAsync($"c{layer}-{random.Next(2)}");
                }
                catch (SnapshotException)
                {
                    // Already gone.
                }
            }
        })));

        var used = Snapshotter.LayersInUse().Order().ToArray();
        Assert.True(used.SequenceEqual(
            Mounter.Kept.Order()), $"seed {seed}: rows use {string.Join(',', used)}, kept are {string.Join(',', Mounter.Kept)}");
    }
}
