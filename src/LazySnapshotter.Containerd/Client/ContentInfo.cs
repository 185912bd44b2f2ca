using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// A blob of the content store.
public sealed record ContentInfo(Digest Digest, long Size, IReadOnlyDictionary<string, string> Labels);
