using System.Buffers;
using System.Security.Cryptography;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Push;

// Copies a blob to a host while hashing it; the next piece is read while one is sent. The last piece is held back until
// length and digest are known to be right: a blob that is not what it should be never arrives as a whole.
internal sealed class CheckedUpload(BlobContent content, RequestSubject subject, string host)
{
    private const int BufferBytes = 256 << 10;

    public async Task CopyAsync(
        Stream source, Stream destination, HopTimer timer, Action<int, long> sent, CancellationToken cancellationToken)
    {
        using var hash = content.Digest.CreateHash();
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var next = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var nextRead = source.ReadAsync(sending.AsMemory(0, BufferBytes), reading.Token).AsTask();
        try
        {
            var total = 0L;
            while (true)
            {
                var count = await nextRead;
                if (count == 0)
                {
                    Check(total, hash); // An empty blob, or one that ends early.
                    return;
                }

                total += count;
                hash.AppendData(sending, 0, count);
                nextRead = source.ReadAsync(next.AsMemory(0, BufferBytes), reading.Token).AsTask();
                var isLast = total >= content.Size;
                if (isLast)
                    Check(total + await nextRead, hash);
                await WriteAsync(destination, sending.AsMemory(0, count), timer, cancellationToken);
                sent(count, total);
                if (isLast)
                    return;
                (sending, next) = (next, sending);
            }
        }
        finally
        {
            // The buffers are the read's until it has ended.
            await reading.CancelAsync();
            await ((Task)nextRead).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ArrayPool<byte>.Shared.Return(sending);
            ArrayPool<byte>.Shared.Return(next);
        }
    }

    private static async Task WriteAsync(
        Stream destination, ReadOnlyMemory<byte> bytes, HopTimer timer, CancellationToken cancellationToken)
    {
        timer.HostTakesBytes();
        try
        {
            await destination.WriteAsync(bytes, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostBrokeOffException(e);
        }

        timer.Pause();
    }

    private void Check(long length, IncrementalHash hash)
    {
        if (length != content.Size)
            throw subject.Error(RegistryFailure.Protocol, host, $"not sent: its " +
                $"source {(length < content.Size ? $"ends after {length}" : $"has more than the {content.Size}")} bytes, {content.Size} " +
                $"were announced");
        Span<byte> actual = stackalloc byte[SHA512.HashSizeInBytes];
        var written = hash.GetHashAndReset(actual);
        if (!content.Digest.Matches(actual[..written]))
            throw subject.Error(RegistryFailure.Protocol, host, $"not sent: its source has other content, with " +
                $"the {content.Digest.Algorithm} {Convert.ToHexStringLower(actual[..written])}");
    }
}

/// <summary>The connection an upload goes to broke: the host's trouble, not the source's.</summary>
internal sealed class HostBrokeOffException(Exception inner) : IOException(inner.Message, inner);
