using System.Buffers;
using System.Security.Cryptography;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Requests;

namespace LazySnapshotter.Registry.Blobs;

// Which of two things has a blob's digest: the bytes of an answer, or what they are after their Content-Encoding is undone.
// Read once from the first byte to the last, and kept nowhere: who knows the answer asks again. Only where no length tells.
internal static class CodingProbe
{
    private const int BufferBytes = 64 << 10;

    /// <returns>Whether the coding is to be undone.</returns>
    /// <exception cref="RegistryException">Neither has the digest, or the body broke off (transient).</exception>
    public static async Task<bool> IsCodedAsync(
        RegistryResponse response, ContentCoding coding, Digest digest, long? size, RegistryOptions options,
        CancellationToken cancellationToken)
    {
        var hop = response.Hop;
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await using var body = await response.Message.Content.ReadAsStreamAsync(stall.Token);
            using var asItCame = digest.CreateHash();
            var received = new HashedStream(body, asItCame, stall, options.StallTimeout);
            using var undone = digest.CreateHash();
            await using var decoded = coding.Undo(received);
            var isSound = await TryHashAsync(decoded, undone, size ?? RegistryLimits.UnknownBlobBytesMax, stall.Token);
            await ReadToEndAsync(received, static _ => { }, RegistryLimits.UnknownBlobBytesMax, stall.Token);
            if (Matches(digest, asItCame))
                return false;
            if (isSound && Matches(digest, undone))
                return true;
            var cause = $"neither the {received.Length} bytes received have its digest nor what they are without their Content-Encoding";
            throw hop.Subject.Error(RegistryFailure.Protocol, hop.Host, cause, response.Message.StatusCode);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            var cause = $"the body was silent for {options.StallTimeout.TotalSeconds:0.###} s";
            throw hop.Subject.TransientError(RegistryFailure.TimedOut, hop.Host, cause, response.Message.StatusCode, e);
        }
        catch (Exception e) when (e is (IOException or HttpRequestException) and not RegistryException)
        {
            var (cause, inner) = Redaction.Explain(e);
            throw hop.Subject.TransientError(
                RegistryFailure.Unreachable, hop.Host, $"the body broke off: {cause}", response.Message.StatusCode, inner);
        }
    }

    private static async Task<bool> TryHashAsync(Stream stream, IncrementalHash hash, long lengthMax, CancellationToken cancellationToken)
    {
        try
        {
            await ReadToEndAsync(stream, hash.AppendData, lengthMax, cancellationToken);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static async Task ReadToEndAsync(
        Stream stream, Action<ReadOnlySpan<byte>> read, long lengthMax, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var total = 0L;
            for (int count; (count = await stream.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellationToken)) > 0;)
            {
                if ((total += count) > lengthMax)
                    throw new InvalidDataException("it is longer than what is looked for");
                read(buffer.AsSpan(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool Matches(Digest digest, IncrementalHash hash)
    {
        Span<byte> actual = stackalloc byte[SHA512.HashSizeInBytes];
        return digest.Matches(actual[..hash.GetHashAndReset(actual)]);
    }

    // What passes through is hashed; the body underneath is another's to close.
    private sealed class HashedStream(Stream body, IncrementalHash hash, CancellationTokenSource stall, TimeSpan stallTimeout)
        : ForwardStream
    {
        private long _length;

        public override long Length => _length;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            stall.CancelAfter(stallTimeout);
            var count = await body.ReadAsync(buffer, cancellationToken);
            stall.CancelAfter(Timeout.InfiniteTimeSpan);
            hash.AppendData(buffer.Span[..count]);
            if ((_length += count) > RegistryLimits.UnknownBlobBytesMax)
                throw new IOException($"the body is longer than {RegistryLimits.UnknownBlobBytesMax} bytes");
            return count;
        }
    }
}
