using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Store;

// Where the files of a layer lie, below <root>/blobs/<algorithm>/:
//
//     <hex>.blob               the whole blob; appears by rename, after its digest was checked
//     <hex>.<index id>.sparse  the blob with holes, as far as spans of one span table were fetched
//     <hex>.<index id>.spans   which spans that is: one bit each, bit i % 8 of byte i / 8
//     <hex>.<unique>.partial   a whole blob on its way; worthless after a restart
//
// A layer is in one state: whole if there is a .blob (anything else is then a leftover), otherwise sparse. Span tables share
// nothing but the whole blob: what one of them takes for the layer's bytes is no other one's business until the layer's own
// digest was checked.
internal readonly record struct BlobPaths(string Directory, string Hex)
{
    public const string BlobSuffix = ".blob";
    public const string SparseSuffix = ".sparse";
    public const string SpansSuffix = ".spans";
    public const string PartialSuffix = ".partial";

    public const int IndexIdLengthMax = 100; // with a SHA-512 in hex and the suffix below NAME_MAX (255)

    public string Blob => Path.Combine(Directory, Hex + BlobSuffix);

    public static BlobPaths Of(string blobsDirectory, Digest layer) => new(Path.Combine(blobsDirectory, layer.Algorithm), layer.Hex);

    public string Sparse(string indexId) => Path.Combine(Directory, $"{Hex}.{indexId}{SparseSuffix}");

    public string Spans(string indexId) => Path.Combine(Directory, $"{Hex}.{indexId}{SpansSuffix}");

    public string NewPartial() => Path.Combine(Directory, $"{Hex}.{Guid.NewGuid():N}{PartialSuffix}");

    /// <summary>
    /// The files of all span tables. The states go first: a sparse file without states is empty, states without a file are nothing.
    /// </summary>
    public IReadOnlyList<string> AllSparse() => System.IO.Directory.Exists(Directory)
        ? [
            .. System.IO.Directory.EnumerateFiles(Directory, $"{Hex}.*{SpansSuffix}"),
            .. System.IO.Directory.EnumerateFiles(Directory, $"{Hex}.*{SparseSuffix}"),
        ]
        : [];

    /// <exception cref="ArgumentException">Not usable as part of a file name.</exception>
    public static void CheckIndexId(string indexId)
    {
        if (indexId.Length is 0 or > IndexIdLengthMax || indexId.AsSpan().ContainsAnyExcept(IndexIdCharacters))
            throw new ArgumentException(
                $"\"{indexId}\" is not an index id: 1 to {IndexIdLengthMax} of a-z, 0-9, '-', '_'", nameof(indexId));
    }

    private static readonly System.Buffers.SearchValues<char> IndexIdCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_");
}
