using LazySnapshotter.Oci;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Artifacts.Sources;

/// <summary>A document or a layer on disk: a whole file, or what one entry of an archive holds.</summary>
/// <param name="Name">For messages: the file, and the entry where there is one.</param>
internal readonly record struct FileRegion(string Path, long Offset, long Length, string Name)
{
    /// <exception cref="InvalidDataException">Longer than that.</exception>
    public async Task<byte[]> ReadAsync(int lengthMax, CancellationToken cancellationToken)
    {
        if (Length > lengthMax)
            throw new InvalidDataException($"{Name}: {Length} bytes, at most {lengthMax} are expected");
        var content = new byte[Length];
        await using var stream = Open(0, Length);
        await stream.ReadExactlyAsync(content, cancellationToken);
        return content;
    }

    public Stream Open(long offset, long length) => new RegionStream(this, Offset + offset, length);

    // Reads at offsets of its own, so that any number of layers of one archive can be read at the same time.
    private sealed class RegionStream(FileRegion region, long position, long remaining) : ForwardStream
    {
        private readonly SafeFileHandle _file = File.OpenHandle(
            region.Path, options: FileOptions.Asynchronous | FileOptions.SequentialScan);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var wanted = buffer[..(int)Math.Min(buffer.Length, remaining)];
            return wanted.IsEmpty ? 0 : Advance(await RandomAccess.ReadAsync(_file, wanted, position, cancellationToken));
        }

        public override int Read(Span<byte> buffer)
        {
            var wanted = buffer[..(int)Math.Min(buffer.Length, remaining)];
            return wanted.IsEmpty ? 0 : Advance(RandomAccess.Read(_file, wanted, position));
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _file.Dispose();
            base.Dispose(disposing);
        }

        private int Advance(int read)
        {
            if (read == 0)
                throw new IOException($"{region.Name}: the file ends {remaining} bytes early");
            position += read;
            remaining -= read;
            return read;
        }
    }
}

/// <summary>A layer in such a region.</summary>
internal sealed class FileBlob(Digest digest, FileRegion region) : IBlobReader
{
    public Digest Digest => digest;

    public Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken)
    {
        if (offset < 0 || length < 0 || length > region.Length - offset)
            throw new IOException($"{region.Name}: bytes {offset} to {offset + length} of {region.Length}");
        return Task.FromResult(new BlobRange(region.Open(offset, length), offset, offset + length));
    }

    public Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) =>
        Task.FromResult(region.Open(0, region.Length));
}
