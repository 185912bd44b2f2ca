using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Index;

// An open index file: all it takes to read a layer's files out of single spans of its blob. What a mount needs (tree,
// offsets, digests) is in memory; windows are read from the file when they are needed. Immutable and safe for
// concurrent use until it is disposed.
public sealed class LayerIndex : IDisposable
{
    /// <summary>The version of index files that this program writes and reads.</summary>
    public const int FormatVersion = (int)LayerIndexHeader.Version;

    private readonly SafeFileHandle _file;
    private readonly LayerIndexHeader _header;
    private readonly LayerIndexWindows _windows;

    private LayerIndex(SafeFileHandle file, LayerIndexReader.Content content)
    {
        _file = file;
        _header = content.Header;
        _windows = content.Windows;
        Toc = content.Toc;
        Spans = content.Spans;
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

    /// <summary>What the file is made of, in its order.</summary>
    public IReadOnlyList<LayerIndexPart> Parts =>
    [
        new("header", LayerIndexHeader.Length), new("TOC", _header.Toc.StoredLength), new("spans", _header.Spans.StoredLength), new("windows", _header.WindowsLength),
    ];

    /// <summary>Bytes from the beginning of the file that a mount needs; behind them are windows.</summary>
    public long FrontLength => _header.WindowsStart;

    /// <exception cref="InvalidDataException">Damaged, or the index of another layer; the message names file and part.</exception>
    public static LayerIndex Open(string path, Digest expectedLayer)
    {
        var index = Open(path);
        if (index.LayerDigest == expectedLayer)
            return index;

        index.Dispose();
        throw new InvalidDataException($"{path}: index: it belongs to layer {index.LayerDigest}, not to {expectedLayer}");
    }

    /// <summary>Opens an index without knowing whose it is, to show what is in it.</summary>
    /// <inheritdoc cref="Open(string, Digest)"/>
    public static LayerIndex Open(string path)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
        try
        {
            return new LayerIndex(file, LayerIndexReader.Read(file));
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

    /// <summary>
    /// The 32 KiB of output before a span, as far as its blocks refer to them (the rest is 0); empty where they refer to
    /// nothing.
    /// </summary>
    /// <exception cref="InvalidDataException">The window is damaged; the message names the span.</exception>
    public ReadOnlyMemory<byte> LoadWindow(SpanId span) => _windows.Load(_file, span);

    /// <summary>The span's window is on this node (or it needs none): <see cref="LoadWindow"/> will do.</summary>
    public bool HasWindow(SpanId span) => span.Value < Spans.Count;

    /// <summary>Gets the span's window onto this node.</summary>
    /// <exception cref="IOException">It cannot be had; the next call tries again.</exception>
    public ValueTask FetchWindowAsync(SpanId span, CancellationToken cancellationToken) =>
        HasWindow(span) ? ValueTask.CompletedTask : throw new ArgumentOutOfRangeException(nameof(span));

    /// <summary>Compares the checksum of every window, at the speed of reading the file: it is as it was written.</summary>
    /// <exception cref="InvalidDataException">A window is damaged; the message names the span.</exception>
    public void CheckWindows()
    {
        for (var i = 0; i < Spans.Count; i++)
            _ = _windows.ReadStored(_file, new SpanId(i));
    }

    /// <summary>Reads and inflates every window once: after that, nothing in the file is unchecked.</summary>
    /// <exception cref="InvalidDataException">A window is damaged; the message names the span.</exception>
    public void VerifyWindows()
    {
        for (var i = 0; i < Spans.Count; i++)
            _ = LoadWindow(new SpanId(i));
    }

    public void Dispose() => _file.Dispose();
}
