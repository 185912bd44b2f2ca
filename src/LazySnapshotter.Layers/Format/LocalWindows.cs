using System.Security.Cryptography;
using LazySnapshotter.Layers.Spans;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Format;

// The windows of an index file on this node. A window's checksum is compared at each use, so opening need not read them
// all; one that turns out damaged is reported once, and from then on the file of the same name is tried as well: the
// index may have been had again meanwhile, and has the same identity if it is the same, byte for byte.
internal sealed class LocalWindows(string path, SafeFileHandle file, LayerIndexHeader header, LayerIndexWindows windows) : IWindowSource
{
    private const int CheckBufferLength = 1 << 17;

    private readonly Lock _gate = new();
    private SafeFileHandle _file = file;
    private readonly List<SafeFileHandle> _replaced = []; // others may still be reading from these
    private bool _isReported;

    /// <summary>Told what is wrong, once, when a window turns out damaged.</summary>
    public Action<string>? Damaged { get; init; }

    public bool Has(SpanId span) => true;

    public ValueTask FetchAsync(SpanId span, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public Task FetchAllAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public byte[] Read(SpanId span)
    {
        if (windows.LengthOf(span) == 0)
            return [];

        var file = Volatile.Read(ref _file);
        try
        {
            return Read(file, span);
        }
        catch (InvalidDataException exception)
        {
            if (TryReplace(file, span) is { } stored)
                return stored;
            Report($"{path}: {exception.Message}");
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }

    public void CheckFile()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[CheckBufferLength];
        var end = header.FileLength - LayerIndexFooter.Length;
        for (var offset = 0L; offset < end;)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset));
            LayerIndexReader.ReadAt(_file, offset, piece, "file");
            hash.AppendData(piece);
            offset += piece.Length;
        }

        var footer = buffer.AsSpan(0, LayerIndexFooter.Length);
        LayerIndexReader.ReadAt(_file, end, footer, "footer");
        LayerIndexFooter.Check(footer, header);
        LayerIndexFooter.CheckContent(footer, hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _file.Dispose();
        foreach (var file in _replaced)
            file.Dispose();
    }

    private byte[] Read(SafeFileHandle file, SpanId span)
    {
        var stored = new byte[windows.LengthOf(span)];
        LayerIndexReader.ReadAt(file, windows.OffsetOf(span), stored, $"window of span {span}");
        windows.Check(span, stored);
        return stored;
    }

    /// <summary>The window from the file that has the name now, if that is another one and its window is right.</summary>
    private byte[]? TryReplace(SafeFileHandle damaged, SpanId span)
    {
        lock (_gate)
        {
            if (_file != damaged)
                return TryRead(_file, span);
            var file = LayerIndexReader.TryOpenSame(path, header);
            if (file is null || TryRead(file, span) is not { } stored)
            {
                file?.Dispose();
                return null;
            }

            _replaced.Add(_file);
            _file = file;
            _isReported = false;
            return stored;
        }
    }

    private byte[]? TryRead(SafeFileHandle file, SpanId span)
    {
        try
        {
            return Read(file, span);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return null;
        }
    }

    private void Report(string what)
    {
        lock (_gate)
        {
            if (_isReported)
                return;
            _isReported = true;
        }

        Damaged?.Invoke(what);
    }
}
