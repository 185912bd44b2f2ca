namespace LazySnapshotter.TestSupport.Registry;

// The bytes of a blob, from memory or from a file.
internal sealed class TestBlob
{
    private readonly byte[]? _content;
    private readonly string? _path;

    public TestBlob(byte[] content)
    {
        _content = content;
        Length = content.Length;
    }

    public TestBlob(string path)
    {
        _path = path;
        Length = new FileInfo(path).Length;
    }

    public long Length { get; }

    public Stream Open(long offset)
    {
        Stream stream = _content is not null
            ? new MemoryStream(_content, writable: false)
            : new FileStream(_path!, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous);
        stream.Position = offset;
        return stream;
    }
}
