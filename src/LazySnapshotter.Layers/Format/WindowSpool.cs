using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Columns;

namespace LazySnapshotter.Layers.Format;

// Keeps the stored windows of a layer while it streams by: they come last in the index file but are made all along,
// and a large layer has more of them than memory should hold. The file beside the index has no name and vanishes with
// its descriptor.
internal sealed class WindowSpool : IDisposable
{
    /// <summary>A window's checksum: the front half of its SHA-256, so that it cannot be forged either.</summary>
    public const int ChecksumLength = 16;

    private readonly FileStream _file;
    private readonly ChunkedList<int> _lengths = new();
    private readonly ChunkedList<Checksum> _checksums = new();

    public WindowSpool(string directory)
    {
        var path = Path.Combine(directory, Path.GetRandomFileName() + AtomicFile.TemporarySuffix);
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        File.Delete(path);
    }

    /// <summary>How many windows were added, empty ones too.</summary>
    public int Count => _lengths.Count;

    /// <summary>How many of them are not empty, and so have a checksum.</summary>
    public int ChecksumCount => _checksums.Count;

    public long Length => _file.Position;

    /// <summary>Length of a stored window.</summary>
    public int LengthOf(int index) => _lengths[index];

    /// <summary>Checksum of the i-th window that is not empty.</summary>
    public ReadOnlySpan<byte> ChecksumOf(int index) => _checksums[index];

    public static void ComputeChecksum(ReadOnlySpan<byte> stored, Span<byte> checksum)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(stored, hash);
        hash[..ChecksumLength].CopyTo(checksum);
    }

    /// <summary>Takes the window of the next span as it is to be stored; empty where there is none.</summary>
    public void Add(ReadOnlySpan<byte> stored)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stored.Length, LayerIndexLimits.StoredWindowLengthMax);
        _lengths.Add(stored.Length);
        if (stored.IsEmpty)
            return;

        _file.Write(stored);
        var checksum = default(Checksum);
        ComputeChecksum(stored, checksum);
        _checksums.Add(checksum);
    }

    /// <summary>All stored windows, in order, piece by piece.</summary>
    public void CopyTo(Action<ReadOnlyMemory<byte>> destination)
    {
        var buffer = new byte[1 << 16];
        _file.Position = 0;
        for (int length; (length = _file.Read(buffer)) > 0;)
            destination(buffer.AsMemory(0, length));
    }

    public void Dispose() => _file.Dispose();

    [InlineArray(ChecksumLength)]
    private struct Checksum
    {
        private byte _first;
    }
}
