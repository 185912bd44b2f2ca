using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Requests;

namespace LazySnapshotter.Registry.Manifests;

// Before anything in a manifest is believed: it has the digest by which it was asked for or, for a tag, the digest the
// registry claims for it; and it is one thing, a manifest or an index. A claim that is no digest, or one of an algorithm that
// cannot be computed here, is no claim: the bytes have a digest of their own. A claim the bytes contradict is refused, as
// containerd does, which asks for the claimed digest next and finds it nowhere: the document was changed or cut on its way. One
// of another algorithm that is right is not the document's name: containerd stores nothing under a sha512.
internal static class ManifestCheck
{
    /// <exception cref="RegistryException">It is not what it should be.</exception>
    public static ImageDocument Document(RequestSubject subject, string tagOrDigest, RegistryDocument received)
    {
        var digest = DigestOf(subject, tagOrDigest, received);
        var mediaType = ManifestMediaType.Of(received, subject);
        return new ImageDocument(
            new Descriptor { MediaType = mediaType, Digest = digest, Size = received.Content.Length }, received.Content);
    }

    public static RegistryException DigestMismatch(RequestSubject subject, string host, byte[] content) =>
        subject.Error(RegistryFailure.Protocol, host, $"the {content.Length} bytes received have the digest {Digest.OfSha256(content)}");

    private static Digest DigestOf(RequestSubject subject, string tagOrDigest, RegistryDocument received)
    {
        var isByDigest = Digest.TryParse(tagOrDigest, out var digest);
        var isClaimed = isByDigest || Digest.TryParse(received.ClaimedDigest, out digest);
        if (isClaimed && !digest.IsDigestOf(received.Content))
            throw DigestMismatch(subject, received.Hop.Host, received.Content);
        return isByDigest ? digest : Digest.OfSha256(received.Content);
    }
}
