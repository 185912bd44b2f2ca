using Containerd.Services.Content.V1;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// Part of a blob of containerd's content store as a stream: the messages of one Read call, one behind the other. It ends
// after the bytes asked for; a call that ends earlier, or answers for another place, is an IOException.
internal sealed class ContentStream(IAsyncEnumerable<ReadContentResponse> responses, Digest digest, long offset, long length)
    : ForwardStream
{
    private readonly IAsyncEnumerator<ReadContentResponse> _responses = responses.GetAsyncEnumerator();
    private readonly long _end = offset + length;
    private long _position = offset;
    private ReadOnlyMemory<byte> _message;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _position == _end)
            return 0;
        while (_message.IsEmpty)
            await NextAsync();

        var count = Math.Min(buffer.Length, _message.Length);
        _message[..count].CopyTo(buffer);
        _message = _message[count..];
        _position += count;
        return count;
    }

    public override async ValueTask DisposeAsync()
    {
        await _responses.DisposeAsync();
        await base.DisposeAsync();
    }

    private async Task NextAsync()
    {
        try
        {
            if (!await _responses.MoveNextAsync())
                throw new IOException($"{digest}: containerd's content store ends it {_end - _position} bytes early");
        }
        catch (ContainerdException e)
        {
            throw new IOException($"{digest}: containerd's content store, bytes {_position} to {_end}: {e.Message}", e);
        }

        var response = _responses.Current;
        if (response.Offset != _position || response.Data.Length > _end - _position)
            throw new IOException($"{digest}: containerd's content store sent {response.Data.Length} bytes from {response.Offset}, asked " +
                $"for were {_position} to {_end}");
        _message = response.Data.Memory;
    }
}
