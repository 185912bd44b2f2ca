namespace LazySnapshotter.Registry.Hosts;

// What a host is trusted with, in containerd's words (docs/hosts.md): what is asked for by digest can be checked and may
// come from anywhere; what a tag names must come from where it is decided.
[Flags]
internal enum EndpointCapabilities
{
    None = 0,

    /// <summary>Manifests and blobs by digest.</summary>
    Pull = 1,

    /// <summary>Tags.</summary>
    Resolve = 2,

    /// <summary>Everything that writes, and reading what is about to be written.</summary>
    Push = 4,

    /// <summary>Lists of referrers.</summary>
    Referrers = 8,

    All = Pull | Resolve | Push | Referrers,
}
