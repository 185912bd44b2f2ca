using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Memory;

// Manifests and indexes by digest, per repository: they never change, so they are fetched once. Those in use in memory,
// the others as files. That one repository has a manifest says nothing about another.
internal sealed class ManifestMemory(string? folder, ILogger logger)
{
    private readonly LruCache<ManifestKey, ImageDocument> _inMemory = new(int.MaxValue, RegistryLimits.RememberedManifestBytesMax);
    private readonly ManifestFiles? _files = folder is null
        ? null
        : new ManifestFiles(folder, RegistryLimits.StoredManifestBytesMax, logger);

    /// <summary>The content is shared by everybody who asks: nobody writes to it.</summary>
    public ImageDocument? Find(string registry, string repository, Digest digest)
    {
        var key = new ManifestKey(registry, repository, digest);
        if (_inMemory.TryGet(key, out var known))
            return known;
        if (_files?.Find(key) is not { } stored)
            return null;
        _inMemory.Set(key, stored, stored.Content.Length);
        return stored;
    }

    /// <param name="document">Its digest was checked.</param>
    public void Remember(string registry, string repository, ImageDocument document)
    {
        var key = new ManifestKey(registry, repository, document.Descriptor.Digest);
        _inMemory.Set(key, document, document.Content.Length);
        _files?.Store(key, document);
    }

    public void Forget(string registry, string repository, Digest digest)
    {
        var key = new ManifestKey(registry, repository, digest);
        _inMemory.Remove(key);
        _files?.Remove(key);
    }
}

/// <param name="Registry">As in an image reference.</param>
internal readonly record struct ManifestKey(string Registry, string Repository, Digest Digest);
