using System.Buffers;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace LazySnapshotter.TestSupport.Registry;

// Writes a response's body over the simulated link, with whatever the fault has for it.
internal sealed class TestBody(HttpContext context, TestRequest request, LinkShaper link, Fault? fault)
{
    public async Task WriteAsync(Stream content, long length)
    {
        var cancellation = context.RequestAborted;
        if (fault?.Compresses is { } coding)
        {
            content = await CompressAsync(content, coding);
            length = content.Length;
            context.Response.Headers.ContentEncoding = coding.Split(' ')[^1];
        }

        var announced = fault is not { EndlessBody: true } and not { EndAt: not null } and not { Unannounced: true };
        if (announced)
            context.Response.ContentLength = length;
        ApplyHeaders(context.Response, fault);
        if (HttpMethods.IsHead(request.Method))
            return;
        if (fault is { Http10: true } or { SurplusBytes: > 0 })
        {
            await WriteRawAsync(content, length);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(link.ChunkBytes);
        try
        {
            for (var sent = 0L; ;)
            {
                if (await StopsHereAsync(sent, cancellation))
                    return;
                var count = await ReadAsync(content, buffer, sent, length, cancellation);
                if (count == 0)
                    return;
                if (fault?.BytesPerSecond is { } bytesPerSecond)
                    await Task.Delay(TimeSpan.FromSeconds((double)count / bytesPerSecond), cancellation);
                await link.SendAsync(count, cancellation);
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), cancellation);
                if (fault is not null)
                    await context.Response.Body.FlushAsync(cancellation);
                request.CountSent(count);
                sent += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static void ApplyHeaders(HttpResponse response, Fault? fault)
    {
        foreach (var (name, value) in fault?.Headers ?? new Dictionary<string, string>())
            response.Headers[name] = value;
        foreach (var name in fault?.WithoutHeaders ?? [])
            response.Headers.Remove(name);
    }

    private static async Task<Stream> CompressAsync(Stream content, string coding)
    {
        var compressed = new MemoryStream();
        await using (Stream compressor = coding switch
        {
            "deflate" => new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
            "bare deflate" => new DeflateStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
            _ => new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
        })
        {
            await content.CopyToAsync(compressor);
        }

        compressed.Position = 0;
        return compressed;
    }

    private async Task WriteRawAsync(Stream content, long length)
    {
        var answer = new RawAnswer(context);
        var isOld = fault is { Http10: true };
        await answer.WriteAsync(RawAnswer.Head(context.Response, isOld ? "1.0" : "1.1", isOld ? null : length));
        var body = new byte[length + (fault?.SurplusBytes ?? 0)];
        await content.ReadExactlyAsync(body.AsMemory(0, (int)length));
        request.CountSent(body.Length);
        await answer.WriteAsync(body);
        await answer.CloseAsync();
    }

    // Whether the body is over here, for one reason or another.
    private async Task<bool> StopsHereAsync(long sent, CancellationToken cancellation)
    {
        if (sent == fault?.EndAt || sent == fault?.TruncateAt)
            return true;
        if (sent == fault?.ResetAt)
        {
            await context.Response.Body.FlushAsync(cancellation);
            context.Abort();
            return true;
        }

        if (sent == fault?.StallAt)
        {
            await context.Response.Body.FlushAsync(cancellation);
            await Task.Delay(Timeout.Infinite, cancellation);
        }

        return false;
    }

    private async Task<int> ReadAsync(Stream content, byte[] buffer, long sent, long length, CancellationToken cancellation)
    {
        // Up to the next place where something happens.
        var end = fault is { EndlessBody: true } ? long.MaxValue : length;
        foreach (var stop in (ReadOnlySpan<long?>)[fault?.EndAt, fault?.TruncateAt, fault?.ResetAt, fault?.StallAt])
            end = stop > sent ? Math.Min(end, stop.Value) : end;
        var chunk = fault?.BytesPerSecond is { } slow ? Math.Clamp(slow / 20, 1, link.ChunkBytes) : link.ChunkBytes;
        var count = (int)Math.Min(chunk, end - sent);
        if (count == 0)
            return 0;

        var read = await content.ReadAtLeastAsync(buffer.AsMemory(0, count), count, throwOnEndOfStream: false, cancellation);
        if (read < count && fault is { EndlessBody: true })
        {
            buffer.AsSpan(read, count - read).Clear();
            read = count;
        }

        if (fault?.CorruptAt is { } corrupt && corrupt >= sent && corrupt < sent + read)
            buffer[corrupt - sent] ^= 0xff;
        return read;
    }
}
