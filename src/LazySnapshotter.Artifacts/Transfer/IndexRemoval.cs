using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Artifacts.Transfer;

// Takes an image's index artifacts out of its repository, with their entries under the fallback tag. The blobs are left to
// the registry's garbage collection; an index that the image's own manifest names cannot be taken away without changing it.
public sealed class IndexRemoval(RegistryClient registry)
{
    /// <param name="manifest">The image's.</param>
    /// <param name="format">Null for both.</param>
    /// <returns>What is gone.</returns>
    /// <exception cref="RegistryException">The registry does not delete, or not for us.</exception>
    public async Task<IReadOnlyList<Descriptor>> RunAsync(
        ImageReference repository, Digest manifest, IndexFormat? format, CancellationToken cancellationToken)
    {
        var removed = new List<Descriptor>();
        foreach (var artifact in await registry.ListReferrersAsync(repository, manifest, artifactType: null, cancellationToken))
        {
            if (IsOf(artifact, format) && await registry.DeleteReferrerAsync(repository, manifest, artifact.Digest, cancellationToken))
                removed.Add(artifact);
        }

        return removed;
    }

    internal static bool IsOf(Descriptor artifact, IndexFormat? format) => artifact.ArtifactType switch
    {
        NativeArtifact.ArtifactType => format is null or IndexFormat.Native,
        SociNames.IndexV1 => format is null or IndexFormat.Soci,
        _ => false,
    };
}
