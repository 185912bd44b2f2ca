using System.Globalization;
using Containerd.Services.Snapshots.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Daemon.Snapshots;
using LazySnapshotter.Linux;
using LazySnapshotter.Snapshots;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging.Abstractions;
using SnapshotsClient = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsClient;

namespace LazySnapshotter.Daemon.Tests.Conformance;

// The ground of containerd's snapshotter suite (its core/snapshots/testsuite): for each test a daemon of its own on a
// real socket, a directory to work in, and real mounts. Tests are named as containerd names them.
public abstract class ConformanceTest : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("snapshot-suite-").FullName;
    private int _names;

    internal static Dictionary<string, string> Root { get; } = new()
    {
        ["containerd.io/gc.root"] = DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture),
    };

    protected string Work => Path.Combine(_directory, "work");

    protected SnapshotsClient Client { get; private set; } = null!;

    protected SnapshotsServer Server { get; private set; } = null!;

    protected GrpcChannel Channel { get; private set; } = null!;

    protected Snapshotter Snapshotter { get; private set; } = null!;

    private MetadataDatabase Database { get; set; } = null!;

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Work);
        var root = Directory.CreateDirectory(Path.Combine(_directory, "root")).FullName;
        Database = MetadataDatabase.Open(Path.Combine(root, "metadata.db"));
        Snapshotter = new Snapshotter(root, Database, CreateMounter(), images: null, NullLogger<Snapshotter>.Instance);
        var socket = Path.Combine(_directory, "s.sock");
        Server = await SnapshotsServer.StartAsync(
            socket, new SnapshotsService(Snapshotter), NullLoggerFactory.Instance, CancellationToken.None);
        Channel = ContainerdChannel.Open(socket);
        Client = new SnapshotsClient(Channel);
    }

    public async Task DisposeAsync()
    {
        Channel.Dispose();
        await Server.DisposeAsync();
        await Snapshotter.DisposeAsync();
        Database.Dispose();
        TestMounts.UnmountBelow(_directory);
        DirectoryTree.Delete(_directory, CancellationToken.None);
    }

    /// <summary>Null: every layer is an ordinary one.</summary>
    protected virtual ILayerMounter? CreateMounter() => null;

    protected async Task<IReadOnlyList<Mount>> PrepareAsync(string key, string parent, Dictionary<string, string>? labels = null) =>
        (await Client.PrepareAsync(new() { Key = key, Parent = parent, Labels = { labels ?? Root } })).Mounts;

    protected async Task<IReadOnlyList<Mount>> ViewAsync(string key, string parent, Dictionary<string, string>? labels = null) =>
        (await Client.ViewAsync(new() { Key = key, Parent = parent, Labels = { labels ?? Root } })).Mounts;

    protected async Task CommitAsync(string name, string key, Dictionary<string, string>? labels = null) =>
        await Client.CommitAsync(new() { Name = name, Key = key, Labels = { labels ?? Root } });

    protected async Task RemoveAsync(string key) => await Client.RemoveAsync(new() { Key = key });

    protected async Task<Info> StatAsync(string key) => (await Client.StatAsync(new() { Key = key })).Info;

    protected async Task<Info> UpdateAsync(Info info, params string[] paths)
    {
        var request = new UpdateSnapshotRequest { Info = info };
        if (paths.Length > 0)
            request.UpdateMask = new FieldMask { Paths = { paths } };
        return (await Client.UpdateAsync(request)).Info;
    }

    protected async Task<List<Info>> WalkAsync(params string[] filters)
    {
        var infos = new List<Info>();
        using var call = Client.List(new() { Filters = { filters } });
        await foreach (var batch in call.ResponseStream.ReadAllAsync())
            infos.AddRange(batch.Info);
        return infos;
    }

    protected static async Task<RpcException> AssertStatusAsync(StatusCode expected, Func<Task> call)
    {
        var e = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(expected, e.StatusCode);
        return e;
    }

    /// <summary>A directory in the work directory.</summary>
    protected string MakeDirectory(string name) => Directory.CreateDirectory(Path.Combine(Work, name)).FullName;

    /// <summary>Prepares a snapshot under the path of a new directory and mounts it there.</summary>
    protected async Task<string> PrepareMountedAsync(string name, string parent)
    {
        var preparing = MakeDirectory(name);
        var mounts = await PrepareAsync(preparing, parent);
        Assert.NotEmpty(mounts);
        TestMounts.MountAll(mounts, preparing);
        return preparing;
    }

    /// <summary>Builds a chain of snapshots, one per change, and compares each with a plain directory.</summary>
    protected async Task CheckSnapshotsAsync(params TreeChange[] changes)
    {
        var flat = MakeDirectory($"flat-{_names++}");
        var parent = "";
        foreach (var change in changes)
        {
            var name = $"layer-{_names++}";
            var mountPoint = MakeDirectory(name + "-mount");
            TestMounts.MountAll(await PrepareAsync(name + "-prepare", parent), mountPoint);
            change(mountPoint);
            TestMounts.Unmount(mountPoint);
            await CommitAsync(name, name + "-prepare");

            change(flat);
            TestMounts.MountAll(await ViewAsync(name + "-view", name), mountPoint);
            Tree.AssertEqual(flat, mountPoint);
            TestMounts.Unmount(mountPoint);
            await RemoveAsync(name + "-view");
            parent = name;
        }
    }
}
