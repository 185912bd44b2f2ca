using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Push;

// The body of a blob upload: a stream from wherever the blob is, checked while it passes.
internal sealed class UploadBody(
    BlobContent content, RequestSubject subject, string host, RegistryStatistics statistics, IProgress<long>? progress) : RequestBody
{
    private bool _opened;
    private Exception? _sourceFailure;

    public override bool CanRepeat => content.CanReopen || !_opened;

    public override Exception? SourceFailure => _sourceFailure;

    public override HttpContent Create(HopTimer timer)
    {
        _sourceFailure = null;
        return new UploadContent(this, timer) { Headers = { { "Content-Type", "application/octet-stream" } } };
    }

    private async Task SendAsync(Stream destination, HopTimer timer, CancellationToken cancellationToken)
    {
        try
        {
            if (!CanRepeat)
                throw subject.Error(
                    RegistryFailure.Unreachable, host, "it would have to be sent again, but its source can be read only once");
            _opened = true;
            timer.Pause();
            await using var source = await content.OpenAsync(cancellationToken);
            await new CheckedUpload(content, subject, host).CopyAsync(source, destination, timer, Sent, cancellationToken);
            timer.BodySent();
        }
        catch (Exception e) when (e is not HostBrokeOffException && !cancellationToken.IsCancellationRequested)
        {
            _sourceFailure = e;
            throw;
        }
    }

    private void Sent(int count, long total)
    {
        statistics.CountUploadedBytes(count);
        progress?.Report(total);
    }

    private sealed class UploadContent(UploadBody body, HopTimer timer) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            body.SendAsync(stream, timer, CancellationToken.None);

        protected override Task SerializeToStreamAsync(
            Stream stream, System.Net.TransportContext? context, CancellationToken cancellationToken) =>
            body.SendAsync(stream, timer, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }

    private long Length => content.Size;
}
