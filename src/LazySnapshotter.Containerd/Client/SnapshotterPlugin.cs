namespace LazySnapshotter.Containerd.Client;

// A snapshotter as containerd's plugin list shows it.
/// <param name="ProxyAddress">The socket of a proxy plugin; null for a snapshotter that is part of containerd.</param>
/// <param name="InitError">Why it cannot be used; null if it can.</param>
public sealed record SnapshotterPlugin(string Name, string? ProxyAddress, string? InitError);
