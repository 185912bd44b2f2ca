using Containerd.Services.Diff.V1;
using Containerd.Types;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.diff.v1: containerd's own unpacking.
public sealed class DiffClient
{
    private readonly ContainerdConnection _connection;
    private readonly Diff.DiffClient _calls;

    internal DiffClient(ContainerdConnection connection)
    {
        _connection = connection;
        _calls = new Diff.DiffClient(connection.Channel);
    }

    /// <summary>Unpacks a layer of the content store into a snapshot's mounts.</summary>
    /// <returns>The diff ID: the digest of the tar that was unpacked.</returns>
    public async Task<Digest> ApplyAsync(Descriptor layer, IReadOnlyList<Mount> mounts, CancellationToken cancellationToken)
    {
        var request = new ApplyRequest { Diff = layer.ToContainerd(), Mounts = { mounts } };
        var response = await _connection.CallAsync(_calls.ApplyAsync, request, cancellationToken);
        return Digest.Parse(response.Applied.Digest);
    }
}
