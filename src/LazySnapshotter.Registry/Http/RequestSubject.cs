using System.Net;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Http;

// What is being asked for, in words: every error says it, so that whoever reads one line knows what did not come.
internal readonly record struct RequestSubject(RegistryRequestKind Kind, string Text, Digest? Digest = null)
{
    public static RequestSubject Ping => new(RegistryRequestKind.Ping, "ping");

    public static RequestSubject Token(string scope) => new(RegistryRequestKind.Token, $"token for {scope}");

    public static RequestSubject Manifest(string repository, string tagOrDigest) =>
        new(RegistryRequestKind.Manifest, $"manifest {repository}:{tagOrDigest}", Oci.Digest.TryParse(tagOrDigest, out var digest) ? digest : null);

    public static RequestSubject Blob(Digest digest, ByteRange? range) =>
        new(RegistryRequestKind.Blob, range is null ? $"blob {digest}" : $"blob {digest} {range}", digest);

    public RegistryException Error(RegistryFailure failure, string host, string cause, HttpStatusCode? status = null, Exception? inner = null) =>
        new(failure, host, $"{host}: {Text}: {cause}", status, Digest, inner);

    public RegistryException TransientError(RegistryFailure failure, string host, string cause, HttpStatusCode? status = null, Exception? inner = null) =>
        new(failure, host, $"{host}: {Text}: {cause}", status, Digest, inner) { IsTransient = true };
}
