using Containerd.Services.Content.V1;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.content.v1: blobs by digest.
public sealed class ContentClient
{
    private const string Service = "containerd.services.content.v1.Content";

    // Only one stream may write an ingest. While another client downloads the same blob we look again, ever more rarely.
    private static readonly TimeSpan LockedDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LockedDelayMax = TimeSpan.FromSeconds(1);

    private static readonly GrpcMethod<InfoRequest, InfoResponse> Info = new(Service, "Info", InfoRequest.Parser, InfoResponse.Parser);
    private static readonly GrpcMethod<UpdateRequest, UpdateResponse> Update = new(Service, "Update", UpdateRequest.Parser, UpdateResponse.Parser);
    private static readonly GrpcMethod<ReadContentRequest, ReadContentResponse> Read = new(Service, "Read", ReadContentRequest.Parser, ReadContentResponse.Parser);
    private static readonly GrpcMethod<WriteContentRequest, WriteContentResponse> Write = new(Service, "Write", WriteContentRequest.Parser, WriteContentResponse.Parser);
    private static readonly GrpcMethod<AbortRequest, Empty> Abort = new(Service, "Abort", AbortRequest.Parser, Empty.Parser);

    private readonly ContainerdConnection _connection;

    internal ContentClient(ContainerdConnection connection) => _connection = connection;

    /// <returns>Null if the namespace does not have the blob.</returns>
    public async Task<ContentInfo?> FindAsync(Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            var info = (await _connection.CallAsync(Info, new InfoRequest { Digest = digest.ToString() }, cancellationToken)).Info;
            return new ContentInfo(digest, info.Size, info.Labels);
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>A blob of the store, or part of it, as it arrives.</summary>
    /// <param name="length">Must be at least 1.</param>
    public Stream OpenRead(Digest digest, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1); // 0 would mean everything
        var request = new ReadContentRequest { Digest = digest.ToString(), Offset = offset, Size = length };
        return new ContentStream(_connection.StreamAsync(Read, request, cancellationToken), digest, offset, length);
    }

    /// <summary>Sets these labels; others stay. An empty value removes a label.</summary>
    public Task SetLabelsAsync(Digest digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var request = new UpdateRequest { Info = new Info { Digest = digest.ToString() }, UpdateMask = new FieldMask() };
        foreach (var (key, value) in labels)
        {
            request.Info.Labels.Add(key, value);
            request.UpdateMask.Paths.Add("labels." + key);
        }

        return _connection.CallAsync(Update, request, cancellationToken);
    }

    /// <summary>
    /// Opens the ingest of a blob, waiting as long as another client is writing it. Part of it may be there already
    /// (<see cref="ContentWriter.Offset"/>).
    /// </summary>
    /// <returns>Null if the blob is there already; a lease then keeps it.</returns>
    public async Task<ContentWriter?> OpenWriterAsync(string ingest, Descriptor blob, CancellationToken cancellationToken)
    {
        for (var delay = LockedDelay; ; delay = delay * 2 < LockedDelayMax ? delay * 2 : LockedDelayMax)
        {
            var writer = new ContentWriter(_connection, _connection.StartDuplex(Write, cancellationToken), ingest, blob);
            try
            {
                await writer.OpenAsync();
                return writer;
            }
            catch (GrpcException e)
            {
                await writer.DisposeAsync();
                if (e.Status == StatusCode.AlreadyExists)
                    return null;
                if (_connection.Unreachable(e) is { } unreachable)
                    throw unreachable;
                // containerd's own answer has no cause on our side: the ingest is locked.
                if (e.Status != StatusCode.Unavailable || e.InnerException is not null)
                    throw;
            }
            catch
            {
                await writer.DisposeAsync();
                throw;
            }

            await Task.Delay(delay, cancellationToken);
        }
    }

    /// <summary>Drops what was written of an ingest.</summary>
    public async Task AbortAsync(string ingest, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.CallAsync(Abort, new AbortRequest { Ref = ingest }, cancellationToken);
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
        }
    }
}
