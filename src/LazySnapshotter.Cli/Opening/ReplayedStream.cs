using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Opening;

// A stream whose first bytes were looked at: they come once more, then the rest. Pipes cannot be rewound.
internal sealed class ReplayedStream(Stream rest) : ForwardStream
{
    private ReadOnlyMemory<byte> _start;

    /// <summary>The first bytes, fewer if there are no more. Before anything was read.</summary>
    public async Task<ReadOnlyMemory<byte>> PeekAsync(int length, CancellationToken cancellationToken)
    {
        var start = new byte[length];
        _start = start.AsMemory(0, await rest.ReadAtLeastAsync(start, length, throwOnEndOfStream: false, cancellationToken));
        return _start;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_start.IsEmpty)
            return rest.ReadAsync(buffer, cancellationToken);
        var length = Math.Min(buffer.Length, _start.Length);
        _start[..length].CopyTo(buffer);
        _start = _start[length..];
        return ValueTask.FromResult(length);
    }

    public override async ValueTask DisposeAsync()
    {
        await rest.DisposeAsync();
        await base.DisposeAsync();
    }
}
