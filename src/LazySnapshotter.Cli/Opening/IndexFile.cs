using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Opening;

// An index that a command looks at: a file of ours or a zTOC, told apart by their first bytes, or a layer's digest, whose
// index is in this node's store. A zTOC is looked at as what it comes to when it is taken over; it does not say whose it is.
internal sealed class IndexFile : IDisposable
{
    private readonly ScratchFile? _scratch;

    private IndexFile(string path, LayerIndex index, Ztoc? ztoc, ScratchFile? scratch)
    {
        Path = path;
        Index = index;
        Ztoc = ztoc;
        _scratch = scratch;
    }

    public string Path { get; }

    public LayerIndex Index { get; }

    /// <summary>Null for an index file of ours.</summary>
    public Ztoc? Ztoc { get; }

    /// <param name="text">A file, or a layer's digest.</param>
    /// <param name="rootOf">Where this node's indexes are, asked only for a digest.</param>
    /// <param name="layer">For a zTOC: which layer it is of, as far as the caller knows.</param>
    /// <exception cref="IOException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no index, or damaged; the message names file and part.</exception>
    public static IndexFile Open(string text, Func<string> rootOf, Digest? layer = null, ReadOnlyMemory<byte> blobStart = default)
    {
        string? path = text;
        if (Digest.TryParse(text, out var digest))
        {
            var root = rootOf();
            var store = new LayerIndexStore(root);
            path = store.IdentitiesOf(digest) is [var best, ..] ? store.PathOf(digest, best) : null;
            if (path is null)
                throw new FileNotFoundException($"{text}: this layer has no index in {root}; `lazysnap index list REF` shows what is " +
                    $"published for an image, `lazysnap index build` makes one");
        }

        return IsZtoc(path) ? OpenZtoc(path, layer, blobStart) : new IndexFile(path, LayerIndex.Open(path), null, null);
    }

    public void Dispose()
    {
        Index.Dispose();
        _scratch?.Dispose();
    }

    private static IndexFile OpenZtoc(string path, Digest? layer, ReadOnlyMemory<byte> blobStart)
    {
        var scratch = new ScratchFile();
        try
        {
            var ztoc = Ztoc.Parse(File.ReadAllBytes(path));
            var descriptor = new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = layer
                ?? Digest.OfSha256([]), Size = ztoc.CompressedLength };
            ZtocImport.WriteIndex(ztoc, descriptor, scratch.Path, new ZtocImportOptions { BlobStart = blobStart });
            return new IndexFile(path, LayerIndex.Open(scratch.Path), ztoc, scratch);
        }
        catch (InvalidDataException e)
        {
            scratch.Dispose();
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
        catch
        {
            scratch.Dispose();
            throw;
        }
    }

    // A FlatBuffer starts with the offset of its root table, a small number; our magic's first byte and letters are none.
    private static bool IsZtoc(string path)
    {
        using var file = File.OpenRead(path);
        if (file.Length > ZtocLengthMax)
            return false;
        Span<byte> start = stackalloc byte[4];
        var length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return length == start.Length && !start[1..].SequenceEqual("LSI"u8) && BitConverter.ToUInt32(start) < file.Length;
    }

    private const long ZtocLengthMax = 1 << 30;
}
