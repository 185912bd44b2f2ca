using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Blobs.Store;

// Which spans are here, in memory and, one bit each, in the .spans file. A span is absent, present (an earlier process
// said so: its digest is checked before it is believed) or verified (checked in this process). The bit is written after
// the data, by a one-byte write; a crash can lose a bit, and a bit without data is found out by the digest.
internal sealed class SpanStates : IDisposable
{
    public const byte Absent = 0;
    public const byte Present = 1;
    public const byte Verified = 2;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly byte[] _states;
    private readonly byte[] _bits;
    private SafeFileHandle? _file;
    private int _presentCount;
    private bool _isPersistent = true;

    private SpanStates(string path, int count)
    {
        _path = path;
        _states = new byte[count];
        _bits = new byte[(count + 7) / 8];
    }

    public int PresentCount => Volatile.Read(ref _presentCount);

    public byte this[int span] => Volatile.Read(ref _states[span]);

    public static SpanStates Load(string path, int count, ILogger logger)
    {
        var states = new SpanStates(path, count);
        if (!File.Exists(path))
            return states;
        try
        {
            states._file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            states.LoadBits();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            BlobsLog.SpanStatesUnusable(logger, path, e.Message);
            states.StartEmpty();
        }

        return states;
    }

    /// <summary>The span's verified bytes are in the file.</summary>
    /// <exception cref="IOException">The bit could not be written; in memory it is set.</exception>
    public void SetVerified(int span)
    {
        lock (_gate)
        {
            if (_states[span] == Absent)
                _presentCount++;
            _states[span] = Verified;
            _bits[span / 8] |= (byte)(1 << (span % 8));
            WriteByteOf(span);
        }
    }

    /// <summary>The digest of a present span was found right.</summary>
    public void Confirm(int span) => Interlocked.CompareExchange(ref _states[span], Verified, Present);

    /// <summary>The span turned out to be damaged; false if its state has changed since it was read.</summary>
    public bool TrySetAbsent(int span, byte stateRead)
    {
        lock (_gate)
        {
            if (Interlocked.CompareExchange(ref _states[span], Absent, stateRead) != stateRead)
                return false;
            _presentCount--;
            _bits[span / 8] &= (byte)~(1 << (span % 8));
            try
            {
                WriteByteOf(span);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A bit too many is what digests are for.
            }

            return true;
        }
    }

    /// <summary>The whole blob is here: no bit is needed any more, the digests are still checked on first use.</summary>
    /// <param name="isSameFile">What was verified was verified in this file.</param>
    public void SetAllPresent(bool isSameFile = false)
    {
        lock (_gate)
        {
            _isPersistent = false;
            _file?.Dispose();
            _file = null;
            if (isSameFile)
                _states.AsSpan().Replace(Absent, Present);
            else
                _states.AsSpan().Fill(Present);
            _presentCount = _states.Length;
        }
    }

    /// <summary>The file's name is gone; states live on in memory only.</summary>
    public void StopPersisting()
    {
        lock (_gate)
            _isPersistent = false;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isPersistent = false;
            _file?.Dispose();
            _file = null;
        }
    }

    private void LoadBits()
    {
        var length = RandomAccess.GetLength(_file!);
        if (length > _bits.Length)
            throw new InvalidDataException($"{length} bytes for {_states.Length} spans");
        RandomAccess.Read(_file!, _bits, 0);
        for (var span = 0; span < _states.Length; span++)
        {
            if ((_bits[span / 8] & (1 << (span % 8))) == 0)
                continue;
            _states[span] = Present;
            _presentCount++;
        }
    }

    private void StartEmpty()
    {
        _bits.AsSpan().Clear();
        _states.AsSpan().Clear();
        _presentCount = 0;
        if (_file is null)
            _isPersistent = false;
        else
            RandomAccess.SetLength(_file, 0);
    }

    private void WriteByteOf(int span)
    {
        if (!_isPersistent)
            return;
        _file ??= File.OpenHandle(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.Write(_file, _bits.AsSpan(span / 8, 1), span / 8);
    }
}
