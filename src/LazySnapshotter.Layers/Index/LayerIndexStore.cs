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

    /// <summary>
    /// Told of an index that turned out damaged while it was in use: what was wrong, and where the file is now. Reads
    /// that need none of what is damaged go on, the others work again as soon as the same index is here again.
    /// </summary>
    public event Action<Digest, string>? Damaged;

    /// <summary>Opens a layer's index; null if it is not here, or is of no use.</summary>
    /// <param name="damage">What was wrong with the file that was here, and where it is now; otherwise null.</param>
    public LayerIndex? TryOpen(Digest layer, out string? damage)
    {
        damage = null;
        try
        {
            return Open(layer);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (InvalidDataException exception)
        {
            damage = $"{exception.Message}; kept as {SetAside(layer)}";
            return null;
        }
    }

    /// <summary>Builds the index of a layer that streams by, keeps it and opens it.</summary>
    /// <inheritdoc cref="LayerIndexBuilder.BuildAsync"/>
    public async Task<LayerIndex> BuildAsync(Digest layer, Stream blob, LayerIndexOptions options, CancellationToken cancellationToken)
    {
        var path = PathOf(layer);
        await LayerIndexBuilder.BuildAsync(blob, path, options with { ExpectedDigest = layer }, cancellationToken);
        return Open(layer);
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
        return Open(layer);
    }

    /// <summary>
    /// Opens an index that is elsewhere as soon as its front has come; the rest follows in the background, and when all
    /// of it is here and right, it is kept.
    /// </summary>
    /// <param name="length">Length of the index file: what its descriptor says.</param>
    /// <exception cref="InvalidDataException">It is no index, damaged, or of another layer; nothing was kept.</exception>
    /// <exception cref="IOException">Its front cannot be had.</exception>
    public Task<LayerIndex> AddRemoteAsync(Digest layer, IBlobReader index, long length, CancellationToken cancellationToken) =>
        AddRemoteAsync(layer, index, length, expectedId: null, cancellationToken);

    /// <param name="expectedId">What its identity must be, where that is known.</param>
    /// <inheritdoc cref="AddRemoteAsync(Digest, IBlobReader, long, CancellationToken)"/>
    public async Task<LayerIndex> AddRemoteAsync(Digest layer, IBlobReader index, long length, string? expectedId, CancellationToken cancellationToken)
    {
        var (front, rest) = await RemoteFront.OpenAsync(layer, index, length, cancellationToken);
        try
        {
            if (expectedId is not null && front.Content.Header.Id != expectedId)
                throw new InvalidDataException($"index: its identity is {front.Content.Header.Id}, {expectedId} was promised");
            return new LayerIndex(front.Content, new RemoteWindows(index, front, rest, PathOf(layer), what => Report(layer, what)));
        }
        catch
        {
            await rest.DisposeAsync();
            throw;
        }
    }

    private LayerIndex Open(Digest layer) => LayerIndex.Open(PathOf(layer), layer, what => Report(layer, what));

    private void Report(Digest layer, string what) => Damaged?.Invoke(layer, $"{what}; kept as {SetAside(layer)}");

    /// <summary>Takes an index that proved wrong out of use; it is kept for a person to look at.</summary>
    /// <returns>Where.</returns>
    public string SetAside(Digest layer)
    {
        var kept = PathOf(layer) + DamagedSuffix;
        try
        {
            File.Move(PathOf(layer), kept, overwrite: true);
        }
        catch (FileNotFoundException)
        {
            // Another reader of the same file was faster.
        }

        return kept;
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
