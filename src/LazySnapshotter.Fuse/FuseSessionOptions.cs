using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse;

public sealed record FuseSessionOptions
{
    /// <summary>Short; names the threads (<c>fuse-NAME-0</c>) and stands in log lines.</summary>
    public string Name { get; init; } = "node";

    /// <summary>As many as there are CPUs was best; more do not help (measured with 1, 2 and 4 on two CPUs).</summary>
    public int ReaderThreads { get; init; } = Environment.ProcessorCount;

    /// <summary>How many read-ahead requests the kernel may have open at once. Its own default is 12: too few for a slow network.</summary>
    public ushort BackgroundRequestsMax { get; init; } = 64;

    /// <summary>Treats these as not offered by the kernel: how an older one behaves, or to go round a kernel's bug.</summary>
    public FuseInitFlags DisabledFeatures { get; init; }
}
