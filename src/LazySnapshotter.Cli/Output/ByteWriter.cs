using System.Text;

namespace LazySnapshotter.Cli.Output;

// Buffered standard output for names that are bytes, not text (a file name need not be UTF-8).
internal sealed class ByteWriter(Stream stream) : IAsyncDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly BufferedStream _stream = new(stream, BufferSize);

    public void Write(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    public void Write(string text) => _stream.Write(Encoding.UTF8.GetBytes(text));

    public void WriteLine() => _stream.WriteByte((byte)'\n');

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
