using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Fuse.Tests;

// A tree mounted by the kernel at a directory of its own, and the log of its session.
internal sealed class TestMount : IAsyncDisposable, ILogger
{
    private readonly List<string> _log = [];
    private readonly string _scratch = Path.Combine(Path.GetTempPath(), "fuse-test-" + Guid.NewGuid().ToString("n"));

    public FuseSession Session { get; private set; } = null!;

    /// <summary>Where the tree is.</summary>
    public string Directory => Path.Combine(_scratch, "mount");

    /// <summary>An ordinary directory beside it, gone with the mount.</summary>
    public string Scratch => _scratch;

    public IReadOnlyList<string> Log
    {
        get
        {
            lock (_log)
                return [.. _log];
        }
    }

    public static async Task<TestMount> StartAsync(IFuseFileSystem tree, FuseInitFlags disabled = FuseInitFlags.None)
    {
        var mount = new TestMount();
        System.IO.Directory.CreateDirectory(mount._scratch);
        mount.Session = await FuseSession.StartAsync(
            FuseMount.Create(mount.Directory, new FuseMountOptions()),
            tree,
            new FuseSessionOptions { Name = "test", DisabledFeatures = disabled },
            mount);
        return mount;
    }

    public string At(string path) => Path.Combine(Directory, path);

    public async ValueTask DisposeAsync()
    {
        await Session.DisposeAsync();
        Assert.Null(MountTable.Find(Directory));
        System.IO.Directory.Delete(_scratch, recursive: true);
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    private void Add(string line)
    {
        lock (_log)
            _log.Add(line);
    }

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Add($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : ": " + exception.Message)}");
}
