using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Format;

/// <summary>Bytes of an index file by part, as stored.</summary>
public readonly record struct LayerIndexParts(long Header, long Toc, long Spans, long Windows, long Footer);

// An open index: all it takes to read a layer's files out of single spans of its blob. What a mount needs (tree, offsets,
// digests) is in memory; windows are read when they are needed, from the file or, while that is still on its way, from
// where it comes from. Immutable and safe for concurrent use until it is disposed.
public sealed class LayerIndex : IDisposable
{
    /// <summary>The version of index files that this program writes and reads.</summary>
    public const int FormatVersion = (int)LayerIndexHeader.Version;

    private readonly LayerIndexHeader _header;
    private readonly LayerIndexWindows _windows;
    private readonly IWindowSource _source;

    internal LayerIndex(in LayerIndexFront front, IWindowSource source)
    {
        _header = front.Header;
        _windows = front.Windows;
        _source = source;
        Toc = front.Toc;
        Spans = front.Spans;
    }

    /// <summary>Digest of the layer's blob.</summary>
    public Digest LayerDigest => _header.LayerDigest;

    /// <summary>Digest of the layer's tar; null if whoever made the index did not know it.</summary>
    public Digest? DiffId => _header.DiffId;

    /// <summary>Identity of this index file: two files with the same one are the same, byte for byte.</summary>
    public string Id => _header.Id;

    public LayerCompression Compression => _header.Compression;

    public LayerToc Toc { get; }

    public SpanTable Spans { get; }

    public long FileLength => _header.FileLength;

    /// <summary>How many bytes of the file a mount needs; who fetches them first can read at once.</summary>
    public long FrontLength => _header.FrontLength;

    public LayerIndexParts Parts =>
        new(LayerIndexHeader.Length, _header.Toc.StoredLength, _header.Spans.StoredLength, _header.WindowsLength, LayerIndexFooter.Length);

    /// <exception cref="InvalidDataException">Damaged, or the index of another layer; the message names file and part.</exception>
    public static LayerIndex Open(string path, Digest expectedLayer) => Open(path, expectedLayer, damaged: null);

    /// <summary>Opens an index without knowing whose it is, to show what is in it.</summary>
    /// <inheritdoc cref="Open(string, Digest)"/>
    public static LayerIndex Open(string path) => Open(path, expectedLayer: null, damaged: null);

    /// <param name="damaged">Told what is wrong, once, when a window turns out damaged after all.</param>
    internal static LayerIndex Open(string path, Digest? expectedLayer, Action<string>? damaged)
    {
        var file = LayerIndexReader.Open(path);
        try
        {
            var front = LayerIndexReader.Read(file);
            front.Header.CheckLayer(expectedLayer);
            return new LayerIndex(front, new LocalWindows(path, file, front.Header, front.Windows) { Damaged = damaged });
        }
        catch (InvalidDataException exception)
        {
            file.Dispose();
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The span's window is on this node (or it needs none): <see cref="LoadWindow"/> will do.</summary>
    public bool HasWindow(SpanId span) => _source.Has(span);

    /// <summary>Gets the span's window onto this node.</summary>
    /// <exception cref="IOException">It cannot be had; the next call tries again.</exception>
    public ValueTask FetchWindowAsync(SpanId span, CancellationToken cancellationToken) => _source.FetchAsync(span, cancellationToken);

    /// <summary>Gets all that is not on this node yet; then the index is a file like any other.</summary>
    /// <inheritdoc cref="FetchWindowAsync"/>
    public Task FetchAllAsync(CancellationToken cancellationToken) => _source.FetchAllAsync(cancellationToken);

    /// <summary>Stored length of a span's window; 0 where it needs none.</summary>
    public int WindowLengthOf(SpanId span) => _windows.LengthOf(span);

    /// <summary>
    /// The 32 KiB of output before a span, as far as its blocks refer to them (the rest is 0); empty where they refer to
    /// nothing.
    /// </summary>
    /// <exception cref="InvalidDataException">The window is damaged; the message names the span.</exception>
    public ReadOnlyMemory<byte> LoadWindow(SpanId span)
    {
        var stored = _source.Read(span);
        if (stored.Length == 0)
            return default;

        var window = new byte[WindowEncoding.WindowLengthMax];
        try
        {
            WindowEncoding.Decode(stored, window);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"span {span}: {exception.Message}", exception);
        }

        return window;
    }

    /// <summary>Compares the file's checksum and inflates every window: after that, nothing in the file is unchecked.</summary>
    /// <exception cref="InvalidDataException">Something is damaged; the message names it.</exception>
    public void VerifyWindows()
    {
        for (var i = 0; i < Spans.Count; i++)
            _ = LoadWindow(new SpanId(i));
        _source.CheckFile();
    }

    public void Dispose() => _source.Dispose();
}
