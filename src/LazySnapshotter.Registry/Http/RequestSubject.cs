using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;

namespace LazySnapshotter.Registry.Http;

// What is being asked for, in words: every error says it, so that whoever reads one line knows what did not come.
internal readonly record struct RequestSubject(RegistryRequestKind Kind, string Text, Digest? Digest = null)
{
    public static RequestSubject Ping => new(RegistryRequestKind.Ping, "ping");

    public static RequestSubject Token(string scope) => new(RegistryRequestKind.Token, $"token for {scope}");

    public static RequestSubject Manifest(string repository, string tagOrDigest) =>
        new(RegistryRequestKind.Manifest, $"manifest {repository}:{tagOrDigest}", Oci.Digest.TryParse(tagOrDigest, out var digest)
            ? digest
            : null);

    public static RequestSubject Blob(Digest digest, ByteRange? range) =>
        new(RegistryRequestKind.Blob, range is null ? $"blob {digest}" : $"blob {digest} {range}", digest);

    public static RequestSubject Upload(Digest digest) => new(RegistryRequestKind.Upload, $"upload of blob {digest}", digest);

    public static RequestSubject Referrers(string repository, Digest digest) =>
        new(RegistryRequestKind.Referrers, $"referrers of {repository}@{digest}", digest);

    public static RequestSubject Tags(string repository) => new(RegistryRequestKind.Tags, $"tags of {repository}");

    public RegistryException Error(
        RegistryFailure failure, string host, string cause, HttpStatusCode? status =
            null, Exception? inner = null, string? code = null, bool isTransient = false) =>
        new(failure, host, $"{host}: {Text}: {cause}", status, Digest, inner) { ErrorCode = code, IsTransient = isTransient };

    public RegistryException TransientError(
        RegistryFailure failure, string host, string cause, HttpStatusCode? status = null, Exception? inner = null) =>
        Error(failure, host, cause, status, inner, isTransient: true);
}
