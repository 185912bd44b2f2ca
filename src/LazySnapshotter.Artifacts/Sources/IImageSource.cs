using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Sources;

// Where an image's layers can be read from: a registry, an OCI layout or an archive on disk, containerd's content store.
// One seam for everything that reads layers as they are. Safe for concurrent use until it is disposed.
public interface IImageSource : IAsyncDisposable
{
    /// <summary>The source as its user wrote it; messages start with it.</summary>
    string Name { get; }

    /// <summary>The images of the platforms asked for, each manifest once.</summary>
    /// <exception cref="IOException">The source cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is not what it should be, or has nothing for a platform asked for.</exception>
    Task<IReadOnlyList<SourceImage>> FindImagesAsync(PlatformSelection platforms, CancellationToken cancellationToken);

    /// <summary>A layer of an image found here; nothing is read before its bytes are asked for.</summary>
    IBlobReader OpenLayer(Descriptor layer);
}
