using Containerd.Services.Content.V1;
using Google.Protobuf;
using Grpc.Core;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// One ingest being written: a stream in which every request has one answer. containerd hashes what arrives and compares
// size and digest at the commit. Not for concurrent use. Disposing without a commit leaves the ingest for whoever
// opens it next; ContentClient.AbortAsync drops it.
public sealed class ContentWriter : IDisposable
{
    // containerd takes messages up to 16 MiB; a megabyte is enough to hide a round trip on a Unix socket.
    private const int ChunkBytesMax = 1024 * 1024;

    private readonly ContainerdConnection _connection;
    private readonly AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> _call;
    private readonly Descriptor _blob;

    internal ContentWriter(
        ContainerdConnection connection, AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, string ingest,
        Descriptor blob)
    {
        _connection = connection;
        _call = call;
        _blob = blob;
        Ingest = ingest;
    }

    /// <summary>containerd's name for the ingest (its "ref").</summary>
    public string Ingest { get; }

    /// <summary>How much is written.</summary>
    public long Offset { get; private set; }

    public async Task WriteAsync(ReadOnlyMemory<byte> data)
    {
        while (!data.IsEmpty)
        {
            var chunk = data[..Math.Min(data.Length, ChunkBytesMax)];
            // SendAsync comes back when the message is answered, so the caller's buffer is only borrowed.
            var answer = await SendAsync(new WriteContentRequest
            {
                Action = WriteAction.Write,
                Offset = Offset,
                Data = UnsafeByteOperations.UnsafeWrap(chunk),
            });
            if (answer.Offset != Offset + chunk.Length)
                throw new IOException(
                    $"{_blob.Digest}: containerd has {answer.Offset} bytes of the ingest, expected {Offset + chunk.Length}");
            Offset = answer.Offset;
            data = data[chunk.Length..];
        }
    }

    /// <summary>Starts again from the beginning: the next write discards what is there.</summary>
    public void Restart() => Offset = 0;

    /// <exception cref="InvalidDataException">What was written has another size or digest. The ingest is still there.</exception>
    public async Task CommitAsync(IReadOnlyDictionary<string, string> labels)
    {
        var request = new WriteContentRequest
        {
            Action = WriteAction.Commit,
            Offset = Offset,
            Total = _blob.Size,
            Expected = _blob.Digest.ToString(),
        };
        foreach (var (key, value) in labels)
            request.Labels.Add(key, value);

        try
        {
            await SendAsync(request);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
        {
            // Written by another client meanwhile, under another ingest.
        }
        catch (ContainerdException e) when (e.Status == StatusCode.FailedPrecondition)
        {
            throw new InvalidDataException($"{_blob.Digest}: the {Offset} bytes received are not the blob: {e.Message}", e);
        }
    }

    public void Dispose() => _call.Dispose();

    internal async Task OpenAsync()
    {
        var answer = await SendAsync(new WriteContentRequest
        {
            Action = WriteAction.Stat,
            Ref = Ingest,
            Total = _blob.Size,
            Expected = _blob.Digest.ToString(),
        });
        Offset = answer.Offset;
    }

    private async Task<WriteContentResponse> SendAsync(WriteContentRequest request)
    {
        try
        {
            await _call.RequestStream.WriteAsync(request);
            return await _call.ResponseStream.MoveNext(CancellationToken.None)
                ? _call.ResponseStream.Current
                : throw new IOException($"{_blob.Digest}: containerd ended the ingest {Ingest} early");
        }
        catch (RpcException e)
        {
            throw _connection.Translate(e);
        }
    }
}
