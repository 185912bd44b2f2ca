using System.Security.Cryptography;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Discovery;

// A blob as it arrives, that ends only if it is what its descriptor says: otherwise the last read fails.
internal sealed class VerifyingStream(Stream content, Descriptor descriptor) : ForwardStream
{
    private readonly IncrementalHash _hash = descriptor.Digest.CreateHash();
    private long _length;
    private bool _isVerified;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await content.ReadAsync(buffer, cancellationToken);
        if (count == 0 && !buffer.IsEmpty && !_isVerified)
            Verify();
        _length += count;
        if (_length > descriptor.Size)
            throw new InvalidDataException($"blob {descriptor.Digest}: longer than the {descriptor.Size} bytes of its descriptor");
        if (count > 0)
            _hash.AppendData(buffer.Span[..count]);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            content.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Verify()
    {
        if (_length != descriptor.Size)
            throw new InvalidDataException($"blob {descriptor.Digest}: {_length} bytes instead of the {descriptor.Size} of its descriptor");
        if (!descriptor.Digest.Matches(_hash.GetHashAndReset()))
            throw new InvalidDataException($"blob {descriptor.Digest}: the {_length} bytes received have another digest");
        _isVerified = true;
    }
}
