using System.Security.Cryptography;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Remote;

// Takes in the bytes of an index file behind its front, as they come, in order: each window is checked, then written to
// a temporary file, then behind the frontier. At the end the footer is compared with the header and with all that came.
// One thread takes in and commits; reading, and putting down single windows ahead of the frontier, is for all.
internal sealed class WindowIntake : IDisposable
{
    private readonly LayerIndexHeader _header;
    private readonly LayerIndexWindows _windows;
    private readonly AtomicFile _file;
    private readonly SafeFileHandle _handle;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _pending; // what has come of the window at the frontier, or of the footer
    private int _pendingLength;
    private int _span; // whose window is at the frontier
    private long _frontier;
    private byte[]? _checksum; // of all before the footer

    public WindowIntake(LayerIndexHeader header, LayerIndexWindows windows, ReadOnlySpan<byte> front, string path)
    {
        _header = header;
        _windows = windows;
        _frontier = header.FrontLength;
        _pending = new byte[LayerIndexLimits.StoredWindowLengthMax];
        _file = new AtomicFile(path);
        _handle = _file.Stream.SafeFileHandle;
        RandomAccess.Write(_handle, front, 0);
        _hash.AppendData(front);
    }

    /// <summary>All before it is here and checked.</summary>
    public long Frontier => Volatile.Read(ref _frontier);

    /// <summary>The byte that has to come next.</summary>
    public long Position => _frontier + _pendingLength;

    public bool IsComplete => Position == _header.FileLength;

    /// <summary>Why the last transfer ended before its time.</summary>
    public string? Failure { get; set; }

    /// <summary>A new transfer: the window at the frontier comes anew.</summary>
    public void Restart() => _pendingLength = 0;

    /// <exception cref="InvalidDataException">A window or the footer is wrong.</exception>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            while (_span < _windows.Count && _windows.LengthOf(new SpanId(_span)) == 0)
                _span++;
            var isFooter = _span == _windows.Count;
            var wanted = isFooter ? LayerIndexFooter.Length : _windows.LengthOf(new SpanId(_span));
            var length = Math.Min(wanted - _pendingLength, bytes.Length);
            bytes[..length].CopyTo(_pending.AsSpan(_pendingLength));
            _pendingLength += length;
            bytes = bytes[length..];
            if (_pendingLength < wanted || isFooter)
                break;
            TakeWindow(new SpanId(_span++), _pending.AsSpan(0, wanted));
            _pendingLength = 0;
        }

        if (!bytes.IsEmpty)
            throw new InvalidDataException("index: more bytes than were asked for");
    }

    /// <summary>Puts down a window that was fetched by itself.</summary>
    /// <exception cref="InvalidDataException">It is wrong.</exception>
    public void TakeEarly(SpanId span, ReadOnlySpan<byte> stored)
    {
        _windows.Check(span, stored);
        RandomAccess.Write(_handle, stored, _windows.OffsetOf(span));
    }

    /// <exception cref="InvalidDataException">The window is damaged; the message names the span.</exception>
    public byte[] Read(SpanId span)
    {
        var stored = new byte[_windows.LengthOf(span)];
        LayerIndexReader.ReadAt(_handle, _windows.OffsetOf(span), stored, $"window of span {span}");
        _windows.Check(span, stored);
        return stored;
    }

    /// <summary>All is here: the file gets its name.</summary>
    /// <returns>The file, which is the caller's from now on.</returns>
    /// <exception cref="InvalidDataException">The footer is wrong.</exception>
    public SafeFileHandle Commit()
    {
        var footer = _pending.AsSpan(0, LayerIndexFooter.Length);
        LayerIndexFooter.Check(footer, _header);
        _checksum ??= _hash.GetHashAndReset();
        LayerIndexFooter.CheckContent(footer, _checksum);
        RandomAccess.Write(_handle, footer, _frontier);
        var file = LayerIndexReader.Open(_file.TemporaryPath);
        try
        {
            _file.Commit();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void TakeWindow(SpanId span, ReadOnlySpan<byte> stored)
    {
        _windows.Check(span, stored);
        RandomAccess.Write(_handle, stored, _frontier);
        _hash.AppendData(stored);
        Volatile.Write(ref _frontier, _frontier + stored.Length);
    }
}
