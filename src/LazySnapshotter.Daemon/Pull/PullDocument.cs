using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Pull;

// An index, a manifest or a configuration: the very bytes the digest covers, because they go into containerd as they are.
public sealed record PullDocument(string MediaType, Digest Digest, byte[] Content)
{
    public Descriptor Descriptor => new() { MediaType = MediaType, Digest = Digest, Size = Content.Length };
}
