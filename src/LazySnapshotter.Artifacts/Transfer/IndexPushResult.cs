using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Push;

namespace LazySnapshotter.Artifacts.Transfer;

/// <param name="Part">Index file or zTOC.</param>
public sealed record PushedIndex(Digest Layer, Descriptor Part, BlobPush How);

/// <param name="IsLazy">The layer could have an index; otherwise nobody can make one.</param>
public sealed record MissingIndex(Descriptor Layer, string Reason, bool IsLazy);

/// <param name="Artifact">Among the image's referrers; null where there was nothing to push.</param>
public sealed record IndexPushResult(Descriptor? Artifact, IReadOnlyList<PushedIndex> Pushed, IReadOnlyList<MissingIndex> Missing);
