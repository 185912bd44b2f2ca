using System.Buffers;
using System.Net;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// Reads a document's body into memory: never more than its limit, never longer silent than the stall timeout. What was
// compressed on its way, although nobody asked for that, is what it was before (ContentCoding).
internal static class BoundedBody
{
    private const int BufferBytes = 16 << 10;

    /// <exception cref="RegistryException">Longer than <paramref name="limitBytes"/> (not transient), or broken off
    /// (transient).</exception>
    public static async Task<byte[]> ReadAsync(
        HttpResponseMessage response, HopRequest hop, int limitBytes, RegistryOptions options, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength is { } announced && announced > limitBytes)
            throw TooLong(response.StatusCode, hop, limitBytes);

        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var silenceMax = options.SilenceMax;
        stall.CancelAfter(silenceMax);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(stall.Token);
            using var content = new MemoryStream();
            for (int count; (count = await body.ReadAsync(buffer, stall.Token)) > 0;)
            {
                if (content.Length + count > limitBytes)
                    throw TooLong(response.StatusCode, hop, limitBytes);
                content.Write(buffer, 0, count);
                stall.CancelAfter(silenceMax);
            }

            return ContentCoding.Of(response) is { } coding
                ? coding.UndoDocument(content.ToArray(), limitBytes) ?? throw TooLong(response.StatusCode, hop, limitBytes)
                : content.ToArray();
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            var error = hop.Subject.TransientError(
                RegistryFailure.TimedOut, hop.Host, $"the body was silent for {silenceMax.TotalSeconds:0.###} s", response.StatusCode, e);
            error.IsLasting = true;
            throw error;
        }
        catch (Exception e) when (e is (IOException or HttpRequestException) and not RegistryException)
        {
            var (cause, inner) = Redaction.Explain(e);
            throw hop.Subject.TransientError(
                RegistryFailure.Unreachable, hop.Host, $"the body broke off: {cause}", response.StatusCode, inner);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static RegistryException TooLong(HttpStatusCode status, HopRequest hop, int limitBytes) =>
        hop.Subject.Error(RegistryFailure.Protocol, hop.Host, $"the body is longer than {limitBytes} bytes", status);
}
