namespace LazySnapshotter.TestSupport.Containerd;

// What a test wants of its containerd.
public sealed record ContainerdOptions
{
    /// <summary>Socket of the snapshotter plugin; null for a containerd with its built-in snapshotters only. The plugin
    /// need not run yet: containerd connects when it is asked for the first snapshot.</summary>
    public string? SnapshotterAddress { get; init; }

    /// <summary>Where the plugin keeps its files; containerd passes it on for disk accounting.</summary>
    public string? SnapshotterRoot { get; init; }

    /// <summary>With Kubernetes' interface, whose images are to be the plugin's. It has no CNI: it can run no container.</summary>
    public bool Cri { get; init; }

    /// <summary>Whether a namespace may use what another one has pulled without bringing the bytes itself.</summary>
    public bool SharesContent { get; init; } = true;
}
