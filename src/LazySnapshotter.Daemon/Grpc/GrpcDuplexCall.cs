using System.Buffers;
using System.Net;
using Google.Protobuf;

namespace LazySnapshotter.Daemon.Grpc;

// A call in which both sides stream. One caller may write while another reads; neither side twice at a time. After
// Complete the server knows that nothing more comes; ReadAsync then runs to the end and gives the status.
public sealed class GrpcDuplexCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private readonly GrpcClientCall<TResponse> _call;
    private readonly DuplexContent _content;
    private readonly Task _sent;
    private readonly ArrayBufferWriter<byte> _frame = new();

    internal GrpcDuplexCall(HttpMessageInvoker http, GrpcClientCall<TResponse> call)
    {
        _call = call;
        _content = new DuplexContent(call.Cancellation);
        _sent = SendAsync(http);
    }

    /// <exception cref="GrpcException">The request cannot be sent any more. If the server ended the call, ReadAsync says why.</exception>
    public async Task WriteAsync(TRequest request)
    {
        _frame.ResetWrittenCount();
        MessageFrame.Write(_frame, request);
        try
        {
            var body = await _content.Body;
            await body.WriteAsync(_frame.WrittenMemory, _call.Cancellation);
            await body.FlushAsync(_call.Cancellation);
        }
        catch (Exception e) when (_call.Translate(e) is { } translated)
        {
            throw translated;
        }
    }

    public void Complete() => _content.Complete();

    /// <returns>The next message, or null after the last one of a call that ended well.</returns>
    public async Task<TResponse?> ReadAsync()
    {
        await _sent;
        return await _call.ReadAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _content.Complete();
        _call.Dispose();
        // Whatever ended the call was told to the reader and the writer; here it only has to be over.
        await _sent.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _content.Dispose();
    }

    // If the connection cannot be had, the content is never asked for its bytes: a waiting writer learns it from here.
    private async Task SendAsync(HttpMessageInvoker http)
    {
        try
        {
            await _call.SendAsync(http, _content);
        }
        catch (Exception e)
        {
            _content.Fail(e);
            throw;
        }
    }

    // A request body that is written from outside for as long as the call lasts.
    private sealed class DuplexContent(CancellationToken cancellationToken) : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _body = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Stream> Body => _body.Task.WaitAsync(cancellationToken);

        public void Complete() => _complete.TrySetResult();

        public void Fail(Exception e) => _body.TrySetException(e);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // The headers go out before the first message does, so that the call exists for the server.
            await stream.FlushAsync(cancellationToken);
            _body.TrySetResult(stream);
            await _complete.Task.WaitAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
