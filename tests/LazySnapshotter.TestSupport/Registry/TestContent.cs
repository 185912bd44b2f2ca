using System.Collections.Concurrent;
using System.Text.Json;
using LazySnapshotter.Oci;

namespace LazySnapshotter.TestSupport.Registry;

/// <summary>A manifest as it is served.</summary>
public sealed record TestManifest(string MediaType, byte[] Content, Digest Digest);

// What a test registry has: per repository manifests by tag and digest, and blobs, in memory or as files of an OCI
// layout. Can be added to while it serves.
public sealed class TestContent
{
    private readonly ConcurrentDictionary<(string Repository, string TagOrDigest), TestManifest> _manifests = new();
    private readonly ConcurrentDictionary<(string Repository, Digest Digest), TestBlob> _blobs = new();

    public Descriptor AddBlob(string repository, byte[] content, string mediaType = "application/octet-stream")
    {
        var digest = Digest.OfSha256(content);
        _blobs[(repository, digest)] = new TestBlob(content);
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = content.Length };
    }

    internal void AddBlob(string repository, Digest digest, byte[] content) => _blobs[(repository, digest)] = new TestBlob(content);

    /// <summary>Serves a file; its name need not be its digest.</summary>
    public Descriptor AddBlobFile(string repository, Digest digest, string path, string mediaType = "application/octet-stream")
    {
        var blob = new TestBlob(path);
        _blobs[(repository, digest)] = blob;
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = blob.Length };
    }

    public Descriptor AddManifest(string repository, string? tag, string mediaType, byte[] content)
    {
        var manifest = new TestManifest(mediaType, content, Digest.OfSha256(content));
        _manifests[(repository, manifest.Digest.ToString())] = manifest;
        if (tag is not null)
            _manifests[(repository, tag)] = manifest;
        return new Descriptor { MediaType = mediaType, Digest = manifest.Digest, Size = content.Length };
    }

    /// <summary>Config and manifest around layers, which are blobs of the repository already.</summary>
    /// <param name="diffIds">Digests of the uncompressed tars; where a test does not look at them, those of the layers.</param>
    public Descriptor AddImage(
        string repository, string tag, IReadOnlyList<Descriptor> layers, IReadOnlyList<Digest>? diffIds = null, Platform? platform = null)
    {
        platform ??= Platform.Current;
        var ids = (diffIds ?? [.. layers.Select(l => l.Digest)]).Select(d => d.ToString());
        var config = AddBlob(repository, JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture = platform.Architecture,
            os = platform.Os,
            config = new { },
            rootfs = new { type = "layers", diff_ids = ids },
        }), MediaTypes.OciConfig);
        return AddManifest(repository, tag, MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = MediaTypes.OciManifest,
            config = Json(config),
            layers = layers.Select(Json),
        })) with
        { Platform = platform };
    }

    /// <summary>An index over manifests that are in the repository already.</summary>
    public Descriptor AddIndex(string repository, string tag, IReadOnlyList<Descriptor> manifests) =>
        AddManifest(repository, tag, MediaTypes.OciIndex, JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = MediaTypes.OciIndex,
            manifests = manifests.Select(Json),
        }));

    /// <summary>
    /// Everything in an OCI image layout (image-spec image-layout.md), as umoci and `skopeo copy oci:` make it. Manifests
    /// are served under the tags the layout gives them.
    /// </summary>
    public void AddLayout(string repository, string directory)
    {
        var index = OciJson.ReadIndex(File.ReadAllBytes(Path.Combine(directory, "index.json")), directory);
        foreach (var descriptor in index.Manifests)
            AddFromLayout(
                repository, directory, descriptor, descriptor.Annotations?.GetValueOrDefault("org.opencontainers.image.ref.name"));

        foreach (var algorithm in Directory.GetDirectories(Path.Combine(directory, "blobs")))
        {
            foreach (var file in Directory.GetFiles(algorithm))
            {
                if (Digest.TryParse(Path.GetFileName(algorithm) + ":" + Path.GetFileName(file), out var digest))
                    AddBlobFile(repository, digest, file);
            }
        }
    }

    /// <summary>What the repository has under a tag or digest.</summary>
    public byte[]? ManifestBytes(string repository, string tagOrDigest) => Manifest(repository, tagOrDigest)?.Content;

    /// <summary>What the repository has as a blob; null if it does not have it.</summary>
    public byte[]? BlobBytes(string repository, Digest digest)
    {
        if (_blobs.GetValueOrDefault((repository, digest)) is not { } blob)
            return null;
        using var stream = blob.Open(0);
        var bytes = new byte[blob.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public void RemoveBlob(string repository, Digest digest) => _blobs.TryRemove((repository, digest), out _);

    public IReadOnlyList<string> Tags(string repository) =>
        [.. _manifests.Keys.Where(k => k.Repository == repository && !k.TagOrDigest.Contains(':', StringComparison.Ordinal))
            .Select(k => k.TagOrDigest).Order(StringComparer.Ordinal)];

    internal bool Mount(string repository, Digest digest, string from) =>
        _blobs.TryGetValue((from, digest), out var blob) && (_blobs[(repository, digest)] = blob) is not null;

    /// <summary>A tag is deleted alone, a digest with all its tags.</summary>
    internal bool DeleteManifest(string repository, string tagOrDigest)
    {
        if (!_manifests.TryRemove((repository, tagOrDigest), out var manifest))
            return false;
        if (tagOrDigest.Contains(':', StringComparison.Ordinal))
        {
            foreach (var (key, other) in _manifests)
            {
                if (key.Repository == repository && other.Digest == manifest.Digest)
                    _manifests.TryRemove(key, out _);
            }
        }

        return true;
    }

    /// <summary>The manifests of a repository with this subject, as the referrers API describes them, oldest name first.</summary>
    internal IReadOnlyList<Descriptor> Referrers(string repository, Digest subject) =>
        [.. _manifests.Where(m => m.Key.Repository == repository && m.Key.TagOrDigest == m.Value.Digest.ToString())
            .Select(m => TestManifestJson.ReferrerOf(m.Value)).OfType<(Digest Subject, Descriptor Entry)>()
            .Where(r => r.Subject == subject).Select(r => r.Entry).OrderBy(e => e.Digest)];

    internal TestManifest? Manifest(string repository, string tagOrDigest) => _manifests.GetValueOrDefault((repository, tagOrDigest));

    internal TestBlob? Blob(string repository, string digest) =>
        Digest.TryParse(digest, out var parsed) ? _blobs.GetValueOrDefault((repository, parsed)) : null;

    private void AddFromLayout(string repository, string directory, Descriptor descriptor, string? tag)
    {
        var content = File.ReadAllBytes(Path.Combine(directory, "blobs", descriptor.Digest.Algorithm, descriptor.Digest.Hex));
        AddManifest(repository, tag, descriptor.MediaType, content);
        if (!MediaTypes.IsIndex(descriptor.MediaType))
            return;
        foreach (var child in OciJson.ReadIndex(content, directory).Manifests)
        {
            if (MediaTypes.IsManifest(child.MediaType) || MediaTypes.IsIndex(child.MediaType))
                AddFromLayout(repository, directory, child, tag: null);
        }
    }

    private static Dictionary<string, object> Json(Descriptor descriptor)
    {
        var json = new Dictionary<string, object>
        {
            ["mediaType"] = descriptor.MediaType,
            ["digest"] = descriptor.Digest.ToString(),
            ["size"] = descriptor.Size,
        };
        if (descriptor.Platform is { } platform)
        {
            json["platform"] = platform.Variant is null
                ? new { architecture = platform.Architecture, os = platform.Os }
                : new { architecture = platform.Architecture, os = platform.Os, variant = platform.Variant };
        }

        return json;
    }
}
