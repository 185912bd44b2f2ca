using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Fuse;

// What the reader threads of one session share.
internal sealed class FuseConnection(FuseDevice device, IFuseFileSystem fileSystem, FuseSessionOptions options, ILogger logger)
{
    public FuseDevice Device { get; } = device;

    public IFuseFileSystem FileSystem { get; } = fileSystem;

    public FuseSessionOptions Options { get; } = options;

    public ILogger Logger { get; } = logger;

    public ReadTracker Reads { get; } = new();

    /// <summary>Ends when INIT has been answered (or cannot be).</summary>
    public TaskCompletionSource<FuseFeatures> Initialized { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set by the answer to INIT, before any other request comes.</summary>
    public FuseFeatures Features { get; private set; } = new() { MinorVersion = FuseFeatures.MinorVersionMin, Flags = FuseInitFlags.None };

    public void SetFeatures(FuseFeatures features) => Features = features;
}
