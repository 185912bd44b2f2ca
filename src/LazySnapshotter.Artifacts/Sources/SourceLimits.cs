namespace LazySnapshotter.Artifacts.Sources;

// What a layout, an archive or a content store may ask of us. Each protects memory or time.
public static class SourceLimits
{
    /// <summary>Manifests, indexes, and an archive's manifest.json; what registries accept.</summary>
    public const int ManifestBytesMax = 4 << 20;

    /// <summary>Image configurations.</summary>
    public const int ConfigBytesMax = 8 << 20;

    /// <summary>Indexes inside each other.</summary>
    public const int IndexDepthMax = 16;

    /// <summary>Manifests looked at for all platforms of one image; the widest real images have some twenty.</summary>
    public const int ManifestCountMax = 512;

    /// <summary>Entries of an archive: each layer and document is one, so far above any image.</summary>
    public const int ArchiveEntryCountMax = 200_000;

    /// <summary>Links followed from one name of an archive.</summary>
    public const int ArchiveLinksMax = 8;

    /// <summary>Layers of one image; containerd and docker stop at 127.</summary>
    public const int LayerCountMax = 1024;
}
