using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Index;

// The node's index files, `<root>/indexes/<algorithm>/<hex>.lsi`, named by the layer's digest. A file appears there
// complete or not at all. A damaged one is renamed to `.damaged` and kept for a person to look at; for everybody else
// it is as if it had never been there. Safe for concurrent use.
public sealed class LayerIndexStore
{
    private const string FileSuffix = ".lsi";
    private const string DamagedSuffix = ".damaged";
    private const int CopyBufferLength = 128 * 1024;

    /// <summary>A temporary file this old belongs to nobody: no download takes so long.</summary>
    private static readonly TimeSpan TemporaryAgeMax = TimeSpan.FromDays(1);

    private readonly string _directory;

    public LayerIndexStore(string root)
    {
        _directory = Path.Combine(root, "indexes");
        foreach (var algorithm in new[] { Digest.Sha256Algorithm, Digest.Sha512Algorithm })
        {
            var directory = Directory.CreateDirectory(Path.Combine(_directory, algorithm));
            foreach (var file in directory.EnumerateFiles("*" + AtomicFile.TemporarySuffix))
            {
                if (DateTime.UtcNow - file.LastWriteTimeUtc > TemporaryAgeMax)
                    file.Delete();
            }
        }
    }

    /// <summary>Where a layer's index is, or would be.</summary>
    public string PathOf(Digest layer) => Path.Combine(_directory, layer.Algorithm, layer.Hex + FileSuffix);

    public bool Contains(Digest layer) => File.Exists(PathOf(layer));

    /// <summary>Length of a layer's index file; 0 if it is not here.</summary>
    public long LengthOf(Digest layer) => new FileInfo(PathOf(layer)) is { Exists: true } file ? file.Length : 0;

    /// <summary>Opens a layer's index; null if it is not here, or is of no use.</summary>
    /// <param name="damage">What was wrong with the file that was here, and where it is now; otherwise null.</param>
    public LayerIndex? TryOpen(Digest layer, out string? damage)
    {
        damage = null;
        var path = PathOf(layer);
        LayerIndex? index = null;
        try
        {
            // Windows as well, although they are needed only later: what is found damaged now can be made anew.
            index = LayerIndex.Open(path, layer);
            index.CheckWindows();
            return index;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (InvalidDataException exception)
        {
            index?.Dispose();
            var kept = path + DamagedSuffix;
            File.Move(path, kept, overwrite: true);
            damage = $"{exception.Message}; kept as {kept}";
            return null;
        }
    }

    /// <summary>Builds the index of a layer that streams by, keeps it and opens it.</summary>
    /// <inheritdoc cref="LayerIndexBuilder.BuildAsync"/>
    public async Task<LayerIndex> BuildAsync(Digest layer, Stream blob, LayerIndexOptions options, CancellationToken cancellationToken)
    {
        var path = PathOf(layer);
        await LayerIndexBuilder.BuildAsync(blob, path, options with { ExpectedDigest = layer }, cancellationToken);
        return LayerIndex.Open(path, layer);
    }

    /// <summary>Keeps and opens an index file that came from elsewhere, if it is whole and belongs to the layer.</summary>
    /// <exception cref="InvalidDataException">It is not; nothing was kept.</exception>
    public Task<LayerIndex> AddAsync(Digest layer, Stream index, CancellationToken cancellationToken) => AddAsync(layer, index, expectedId: null, cancellationToken);

    /// <param name="expectedId">What its identity must be, where that is known.</param>
    /// <inheritdoc cref="AddAsync(Digest, Stream, CancellationToken)"/>
    public async Task<LayerIndex> AddAsync(Digest layer, Stream index, string? expectedId, CancellationToken cancellationToken)
    {
        using var file = new AtomicFile(PathOf(layer));
        await CopyAsync(index, file.Stream, cancellationToken);

        using (var candidate = LayerIndex.Open(file.TemporaryPath, layer))
        {
            if (expectedId is not null && candidate.Id != expectedId)
                throw new InvalidDataException($"index: its identity is {candidate.Id}, {expectedId} was promised");
            candidate.VerifyWindows();
        }

        file.Commit();
        return LayerIndex.Open(PathOf(layer), layer);
    }

    private static async Task CopyAsync(Stream index, FileStream file, CancellationToken cancellationToken)
    {
        var buffer = new byte[CopyBufferLength];
        while (true)
        {
            var length = await index.ReadAsync(buffer, cancellationToken);
            if (length == 0)
                break;
            if (file.Position + length > LayerIndexLimits.IndexLengthMax)
                throw new InvalidDataException($"index: longer than {LayerIndexLimits.IndexLengthMax} bytes");
            await file.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
        }

        await file.FlushAsync(cancellationToken);
    }
}
