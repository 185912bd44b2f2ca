using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Remote;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Files;

// The node's index files:
//
//     <root>/indexes/<algorithm>/<layer>/<identity>.lsi            an index of the layer; several may lie side by side
//     <root>/indexes/<algorithm>/<layer>/<identity>.verified       empty: it was made of the whole blob, or compared with it
//     <root>/indexes/<algorithm>/<layer>/<identity>.<hash>.from    the repository (its text) that published it
//
// A file appears there complete or not at all. A damaged one is renamed to `.damaged` and kept for a person to look at; for
// everybody else it is as if it had never been there. One of a version this program does not read is left alone: another
// program may stand on it. Safe for concurrent use, by several processes.
public sealed partial class LayerIndexStore
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
            foreach (var file in directory.EnumerateFiles("*" + FileSuffix))
                MoveFormer(algorithm, file);
        }

        foreach (var file in new DirectoryInfo(_directory).EnumerateFiles("*" + AtomicFile.TemporarySuffix, SearchOption.AllDirectories))
        {
            if (DateTime.UtcNow - file.LastWriteTimeUtc > TemporaryAgeMax)
                file.Delete();
        }
    }

    /// <summary>
    /// Told of an index that turned out damaged while it was in use: whose and which it is, what was wrong, and where the file
    /// is now. Reads that need none of what is damaged go on, the others work again as soon as the same index is here again.
    /// </summary>
    public event Action<Digest, string, string>? Damaged;

    /// <summary>Where an index of a layer is, or would be.</summary>
    public string PathOf(Digest layer, string identity) => Path.Combine(DirectoryOf(layer), identity + FileSuffix);

    /// <summary>The indexes of a layer that are here: the verified ones first, of those the latest first.</summary>
    public IReadOnlyList<string> IdentitiesOf(Digest layer) => [.. Files(layer)
        .OrderByDescending(file => file.LastWriteTimeUtc)
        .Select(file => Path.GetFileNameWithoutExtension(file.Name))
        .OrderByDescending(identity => IsVerified(layer, identity))];

    /// <summary>There is an index by which images of a repository may look at a layer.</summary>
    /// <inheritdoc cref="TryOpenFor"/>
    public bool ContainsFor(Digest layer, string? repository) => IdentitiesFor(layer, repository).Any();

    /// <summary>What the indexes of a layer take on disk, in bytes.</summary>
    public long LengthOf(Digest layer) => Files(layer).Sum(file => file.Length);

    /// <summary>Opens an index; null if it is not here, or is of no use.</summary>
    /// <param name="damage">What was wrong with the file that was here, and where it is now; otherwise null.</param>
    public LayerIndex? TryOpen(Digest layer, string identity, out string? damage)
    {
        damage = null;
        try
        {
            return Open(layer, identity);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (InvalidDataException exception)
        {
            if (!LayerIndexReader.IsOfOtherVersion(PathOf(layer, identity)))
                damage = $"{exception.Message}; kept as {SetAside(layer, identity)}";
            return null;
        }
    }

    /// <summary>
    /// Opens the index by which images of a repository may look at a layer: one that is verified, or one the repository published.
    /// </summary>
    /// <param name="repository">Registry and repository; null if only a verified one will do.</param>
    /// <param name="damage">What was wrong with files that were here, and where they are now; otherwise null.</param>
    public LayerIndex? TryOpenFor(Digest layer, string? repository, out string? damage)
    {
        damage = null;
        foreach (var identity in IdentitiesFor(layer, repository))
        {
            var index = TryOpen(layer, identity, out var wrong);
            damage = damage is null ? wrong : wrong is null ? damage : $"{damage}; {wrong}";
            if (index is not null)
                return index;
        }

        return null;
    }

    /// <summary>Builds the index of a layer that streams by, and keeps it, verified.</summary>
    /// <inheritdoc cref="LayerIndexBuilder.BuildAsync(Stream, string, LayerIndexOptions, CancellationToken)"/>
    public Task<LayerIndexBuildResult> BuildFileAsync(Stream blob, LayerIndexOptions options, CancellationToken cancellationToken) =>
        LayerIndexBuilder.BuildAsync(blob, AtomicFile.In(_directory), header =>
        {
            MakeDirectory(header.LayerDigest);
            SetVerified(header.LayerDigest, header.Id);
            return PathOf(header.LayerDigest, header.Id);
        }, options, cancellationToken);

    /// <summary>Builds the index of a layer that streams by, keeps it, verified, and opens it.</summary>
    /// <inheritdoc cref="LayerIndexBuilder.BuildAsync(Stream, string, LayerIndexOptions, CancellationToken)"/>
    public async Task<LayerIndex> BuildAsync(Digest layer, Stream blob, LayerIndexOptions options, CancellationToken cancellationToken) =>
        Open(layer, (await BuildFileAsync(blob, options with { ExpectedDigest = layer }, cancellationToken)).IndexId);

    /// <summary>Keeps and opens an index file that came from elsewhere, if it is whole and belongs to the layer.</summary>
    /// <param name="publisher">The repository it came from.</param>
    /// <param name="expectedId">What its identity must be; null where that is not known.</param>
    /// <exception cref="InvalidDataException">It is not; nothing was kept.</exception>
    public async Task<LayerIndex> AddAsync(
        Digest layer, Stream index, string publisher, string? expectedId, CancellationToken cancellationToken)
    {
        using var file = AtomicFile.In(_directory);
        await CopyAsync(index, file.Stream, cancellationToken);

        string identity;
        using (var candidate = LayerIndex.Open(file.TemporaryPath, layer))
        {
            identity = candidate.Id;
            CheckIdentity(identity, expectedId);
            candidate.VerifyWindows();
        }

        MakeDirectory(layer);
        SetPublished(layer, identity, publisher);
        file.Commit(PathOf(layer, identity));
        return Open(layer, identity);
    }

    /// <summary>
    /// Opens an index that is elsewhere as soon as its front has come; the rest follows in the background, and when all
    /// of it is here and right, it is kept.
    /// </summary>
    /// <param name="length">Length of the index file: what its descriptor says.</param>
    /// <param name="publisher">The repository it comes from.</param>
    /// <param name="expectedId">What its identity must be; null where that is not known.</param>
    /// <exception cref="InvalidDataException">It is no index, damaged, or of another layer; nothing was kept.</exception>
    /// <exception cref="IOException">Its front cannot be had.</exception>
    public async Task<LayerIndex> AddRemoteAsync(
        Digest layer, IBlobReader index, long length, string publisher, string? expectedId, CancellationToken cancellationToken)
    {
        var (front, rest) = await RemoteFront.OpenAsync(layer, index, length, cancellationToken);
        try
        {
            var identity = front.Content.Header.Id;
            CheckIdentity(identity, expectedId);
            MakeDirectory(layer);
            SetPublished(layer, identity, publisher);
            return new LayerIndex(
                front.Content, new RemoteWindows(index, front, rest, PathOf(layer, identity), what => Report(layer, identity, what)));
        }
        catch
        {
            await rest.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an index of a zTOC, keeps and opens it.</summary>
    /// <param name="publisher">The repository the zTOC came from.</param>
    /// <param name="expectedId">What its identity must be; null where that is not known.</param>
    /// <exception cref="InvalidDataException">The zTOC is not one that can be used; nothing was kept.</exception>
    public LayerIndex Import(Ztoc ztoc, Descriptor layer, string publisher, string? expectedId, ZtocImportOptions options)
    {
        var imported = ZtocImport.WriteIndex(ztoc, layer, () => AtomicFile.In(_directory), header =>
        {
            CheckIdentity(header.Id, expectedId);
            MakeDirectory(layer.Digest);
            SetPublished(layer.Digest, header.Id, publisher);
            return PathOf(layer.Digest, header.Id);
        }, options);
        return Open(layer.Digest, imported.IndexId);
    }

    /// <summary>Takes an index that proved wrong out of use; it is kept for a person to look at.</summary>
    /// <returns>Where.</returns>
    public string SetAside(Digest layer, string identity)
    {
        var kept = PathOf(layer, identity) + DamagedSuffix;
        try
        {
            File.Move(PathOf(layer, identity), kept, overwrite: true);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Another reader of the same file was faster.
        }

        return kept;
    }

    private LayerIndex Open(Digest layer, string identity) =>
        LayerIndex.Open(PathOf(layer, identity), layer, what => Report(layer, identity, what));

    private void Report(Digest layer, string identity, string what) =>
        Damaged?.Invoke(layer, identity, $"{what}; kept as {SetAside(layer, identity)}");

    private string DirectoryOf(Digest layer) => Path.Combine(_directory, layer.Algorithm, layer.Hex);

    private void MakeDirectory(Digest layer) => Directory.CreateDirectory(DirectoryOf(layer));

    private IEnumerable<FileInfo> Files(Digest layer) => new DirectoryInfo(DirectoryOf(layer)) is { Exists: true } directory
        ? directory.EnumerateFiles("*" + FileSuffix)
        : [];

    private IEnumerable<string> IdentitiesFor(Digest layer, string? repository) => IdentitiesOf(layer).Where(identity =>
        IsVerified(layer, identity) || (repository is not null && IsPublishedBy(layer, identity, repository)));

    // A former version kept one index a layer, beside where its folder is now, and did not say where it came from.
    private void MoveFormer(string algorithm, FileInfo file)
    {
        if (!Digest.TryParse($"{algorithm}:{Path.GetFileNameWithoutExtension(file.Name)}", out var layer))
            return;
        try
        {
            string identity;
            using (var index = LayerIndex.Open(file.FullName, layer))
                identity = index.Id;
            MakeDirectory(layer);
            file.MoveTo(PathOf(layer, identity), overwrite: true);
        }
        catch (InvalidDataException)
        {
            // Damaged, or of a version that another program reads: nobody looks for it here any more.
        }
    }

    private static void CheckIdentity(string identity, string? expected)
    {
        if (expected is not null && identity != expected)
            throw new InvalidDataException($"index: its identity is {identity}, {expected} was promised");
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
