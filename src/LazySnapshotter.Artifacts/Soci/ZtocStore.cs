using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Soci;

// The zTOCs made on this node, `<root>/ztocs/<algorithm>/<hex>.ztoc`, named by the layer's digest: what `index push --format
// soci` publishes. This node itself has no use for them. A file appears there complete or not at all.
public sealed class ZtocStore(string root)
{
    private const string FileSuffix = ".ztoc";

    /// <summary>Where a layer's zTOC is, or would be.</summary>
    public string PathOf(Digest layer) => Path.Combine(root, "ztocs", layer.Algorithm, layer.Hex + FileSuffix);

    public bool Contains(Digest layer) => File.Exists(PathOf(layer));

    /// <summary>Keeps what is written as the layer's zTOC; a former one is replaced.</summary>
    public async Task<T> AddAsync<T>(Digest layer, Func<Stream, Task<T>> write)
    {
        var path = PathOf(layer);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Path.GetRandomFileName()}.tmp";
        try
        {
            T result;
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                result = await write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            return result;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>What soci's index says of a layer's zTOC, and who made it; null if it is not here.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or belongs to another layer.</exception>
    internal async Task<(SociZtoc Ztoc, string BuildTool)?> TryDescribeAsync(Descriptor layer, CancellationToken cancellationToken)
    {
        var path = PathOf(layer.Digest);
        if (!File.Exists(path))
            return null;

        var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
        try
        {
            var ztoc = Ztoc.Parse(bytes);
            if (ztoc.CompressedLength != layer.Size)
                throw new InvalidDataException($"zTOC: it is of a blob of {ztoc.CompressedLength} bytes, layer {layer.Digest} has {layer.Size}");
            return (Describe(layer, ztoc, bytes), ztoc.BuildTool);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    private static SociZtoc Describe(Descriptor layer, Ztoc ztoc, byte[] bytes) => new()
    {
        Blob = new Descriptor { MediaType = SociNames.ZtocMediaType, Digest = Digest.OfSha256(bytes), Size = bytes.Length },
        LayerDigest = layer.Digest,
        LayerMediaType = layer.MediaType,
        SpanSize = ztoc.SpanLength,
    };
}
