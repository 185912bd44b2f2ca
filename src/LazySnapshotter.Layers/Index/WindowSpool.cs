using System.Security.Cryptography;

namespace LazySnapshotter.Layers.Index;

// Keeps the stored windows of a layer while it streams by: they come last in the index file but are made all along,
// and a large layer has more of them than memory should hold. The file beside the index has no name and vanishes with
// its descriptor.
internal sealed class WindowSpool : IDisposable
{
    /// <summary>A window's checksum: the front half of its SHA-256, so that it cannot be forged either.</summary>
    public const int ChecksumLength = 16;

    private readonly FileStream _file;
    private readonly List<int> _lengths = [];
    private readonly MemoryStream _checksums = new();

    public WindowSpool(string directory)
    {
        var path = Path.Combine(directory, Path.GetRandomFileName() + AtomicFile.TemporarySuffix);
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        File.Delete(path);
    }

    /// <summary>Length of each stored window.</summary>
    public IReadOnlyList<int> Lengths => _lengths;

    /// <summary>The checksums of the windows that are not empty, one after the other.</summary>
    public ReadOnlySpan<byte> Checksums => _checksums.GetBuffer().AsSpan(0, (int)_checksums.Length);

    public long Length => _file.Position;

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
        Span<byte> checksum = stackalloc byte[ChecksumLength];
        ComputeChecksum(stored, checksum);
        _checksums.Write(checksum);
    }

    /// <summary>All stored windows, in order, piece by piece.</summary>
    public void CopyTo(Action<ReadOnlyMemory<byte>> destination)
    {
        var buffer = new byte[1 << 16];
        _file.Position = 0;
        for (int length; (length = _file.Read(buffer)) > 0;)
            destination(buffer.AsMemory(0, length));
    }

    public void Dispose()
    {
        _file.Dispose();
        _checksums.Dispose();
    }
}
