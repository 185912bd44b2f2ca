using System.IO.Compression;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Http;

// What Content-Encoding says an answer's bytes went through (RFC 9110 section 8.4), although identity was asked for. It may not
// be so: web servers mark stored .tar.gz files with it, and S3 repeats what somebody once wrote there. So it is only ever a
// guess about the bytes, undone where that gives what was asked for.
internal sealed class ContentCoding
{
    // More than one is rare, more than these is nonsense.
    private const int UndoneMax = 3;

    private readonly IReadOnlyList<string> _words;

    private ContentCoding(IReadOnlyList<string> words) => _words = words;

    /// <summary>Whether all of it can be undone here; what cannot is taken as it came.</summary>
    public bool CanUndo => _words.Count <= UndoneMax && _words.All(word => word is "gzip" or "x-gzip" or "deflate");

    /// <returns>Null where the bytes are said to be as they are.</returns>
    public static ContentCoding? Of(HttpResponseMessage response)
    {
        if (!response.Content.Headers.NonValidated.TryGetValues("Content-Encoding", out var values))
            return null;
        // S3's "aws-chunked" was undone when the object was stored.
        var words = values.SelectMany(value => value.Split(',')).Select(word => word.Trim().ToLowerInvariant())
            .Where(word => word is not ("" or "identity" or "none" or "aws-chunked")).ToList();
        return words.Count == 0 ? null : new ContentCoding(words);
    }

    /// <summary>What <paramref name="body"/> was before; reading it throws where that is nothing.</summary>
    /// <exception cref="InvalidDataException">When it is read: it was not encoded like that.</exception>
    public Stream Undo(Stream body) => _words.Reverse().Aggregate(
        body, (inner, word) => word == "deflate" ? new InflatedStream(inner) : new GZipStream(inner, CompressionMode.Decompress));

    public override string ToString() => string.Join(", ", _words);

    /// <summary>
    /// A document as it was meant: undone where that can be done, else as it came. No document of a registry is itself
    /// compressed, so there is no doubt.
    /// </summary>
    /// <returns>Null if it is longer than <paramref name="limitBytes"/>.</returns>
    public byte[]? UndoDocument(byte[] content, int limitBytes)
    {
        if (!CanUndo)
            return content;
        try
        {
            using var body = Undo(new MemoryStream(content));
            using var document = new MemoryStream();
            var buffer = new byte[16 << 10];
            for (int count; (count = body.Read(buffer)) > 0;)
            {
                if (document.Length + count > limitBytes)
                    return null;
                document.Write(buffer, 0, count);
            }

            return document.ToArray();
        }
        catch (InvalidDataException)
        {
            return content;
        }
    }

    // "deflate" means zlib's format, which some servers took for bare deflate.
    private sealed class InflatedStream(Stream body) : ForwardStream
    {
        private const int AsksForDictionary = 0x20; // RFC 1950: FDICT. There is none in HTTP.

        private readonly byte[] _head = new byte[2];
        private Stream? _inflated;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_inflated is null)
            {
                var count = await body.ReadAtLeastAsync(_head, _head.Length, throwOnEndOfStream: false, cancellationToken);
                var whole = new PrefixedStream(_head.AsMemory(0, count), body);
                var isZlib = count == 2 && (_head[0] & 0x0f) == 8 && ((_head[0] << 8) + _head[1]) % 31 == 0;
                // To the runtime, whose exception is one of I/O, this is an error like a connection that broke.
                if (isZlib && (_head[1] & AsksForDictionary) != 0)
                    throw new InvalidDataException("a zlib stream that asks for a dictionary");
                _inflated = isZlib
                    ? new ZLibStream(whole, CompressionMode.Decompress)
                    : new DeflateStream(whole, CompressionMode.Decompress);
            }

            return await _inflated.ReadAsync(buffer, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _inflated?.Dispose();
                body.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    private sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream body) : ForwardStream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_prefix.IsEmpty)
                return body.ReadAsync(buffer, cancellationToken);
            var count = Math.Min(_prefix.Length, buffer.Length);
            _prefix[..count].CopyTo(buffer);
            _prefix = _prefix[count..];
            return ValueTask.FromResult(count);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                body.Dispose();
            base.Dispose(disposing);
        }
    }
}
