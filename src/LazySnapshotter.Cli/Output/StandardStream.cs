using LazySnapshotter.Linux;

namespace LazySnapshotter.Cli.Output;

// Standard output or standard error, unbuffered. What standard output does not take is an OutputException; for what standard
// error does not take there is nobody left to tell.
internal sealed class StandardStream : Stream
{
    public const int OutputDescriptor = 1;
    public const int ErrorDescriptor = 2;

    private readonly int _descriptor;
    private readonly bool _isInherited;

    private StandardStream(int descriptor)
    {
        _descriptor = descriptor;
        _isInherited = Libc.IsInherited(descriptor);
    }

    public static StandardStream Output { get; } = new(OutputDescriptor);

    public static StandardStream Error { get; } = new(ErrorDescriptor);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Makes the console's writers write here, for everything in the process that writes to one.</summary>
    public static void TakeOverConsole()
    {
        Console.SetOut(new StreamWriter(Output) { AutoFlush = true });
        Console.SetError(new StreamWriter(Error) { AutoFlush = true });
    }

    /// <exception cref="OutputException">Standard output.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!buffer.IsEmpty)
            Check(_isInherited ? Libc.WriteAll(_descriptor, buffer) : Errno.EBADF);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>After the last byte: asks the filesystem whether it has kept them all.</summary>
    /// <exception cref="OutputException">Standard output.</exception>
    public void Finish()
    {
        if (_isInherited)
            Check(Libc.CloseCopy(_descriptor));
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Check(Errno errno)
    {
        if (errno != Errno.None && this == Output)
            throw new OutputException(errno);
    }
}
