using Containerd.Services.Content.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.content.v1: blobs by digest.
public sealed class ContentClient
{
    // Only one stream may write an ingest. While another client downloads the same blob we look again, ever more rarely.
    private static readonly TimeSpan LockedDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LockedDelayMax = TimeSpan.FromSeconds(1);

    private readonly ContainerdConnection _connection;
    private readonly Content.ContentClient _calls;

    internal ContentClient(ContainerdConnection connection)
    {
        _connection = connection;
        _calls = new Content.ContentClient(connection.Channel);
    }

    /// <returns>Null if the namespace does not have the blob.</returns>
    public async Task<ContentInfo?> FindAsync(Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            var info = (
                await _connection.CallAsync(_calls.InfoAsync, new InfoRequest { Digest = digest.ToString() }, cancellationToken)).Info;
            return new ContentInfo(digest, info.Size, info.Labels);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
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
        return new ContentStream(_connection.StreamAsync(_calls.Read, request, cancellationToken), digest, offset, length);
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

        return _connection.CallAsync(_calls.UpdateAsync, request, cancellationToken);
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
            var writer = new ContentWriter(_connection, _calls.Write(_connection.Options(cancellationToken)), ingest, blob);
            try
            {
                await writer.OpenAsync();
                return writer;
            }
            catch (ContainerdException e)
            {
                writer.Dispose();
                if (e.Status == StatusCode.AlreadyExists)
                    return null;
                // containerd's own Unavailable: the ingest is locked.
                if (e.Status != StatusCode.Unavailable || !e.IsAnswer)
                    throw;
            }
            catch
            {
                writer.Dispose();
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
            await _connection.CallAsync(_calls.AbortAsync, new AbortRequest { Ref = ingest }, cancellationToken);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
        }
    }
}
