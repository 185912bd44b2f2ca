using Containerd.Services.Diff.V1;
using Containerd.Types;
using LazySnapshotter.Daemon.Grpc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.diff.v1: containerd's own unpacking.
public sealed class DiffClient
{
    private static readonly GrpcMethod<ApplyRequest, ApplyResponse> Apply =
        new("containerd.services.diff.v1.Diff", "Apply", ApplyRequest.Parser, ApplyResponse.Parser);

    private readonly ContainerdConnection _connection;

    internal DiffClient(ContainerdConnection connection) => _connection = connection;

    /// <summary>Unpacks a layer of the content store into a snapshot's mounts.</summary>
    /// <returns>The diff ID: the digest of the tar that was unpacked.</returns>
    public async Task<Digest> ApplyAsync(Descriptor layer, IReadOnlyList<Mount> mounts, CancellationToken cancellationToken)
    {
        var request = new ApplyRequest { Diff = layer.ToContainerd(), Mounts = { mounts } };
        var response = await _connection.CallAsync(Apply, request, cancellationToken);
        return Digest.Parse(response.Applied.Digest);
    }
}
