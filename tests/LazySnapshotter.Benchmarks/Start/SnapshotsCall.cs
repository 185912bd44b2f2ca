using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace LazySnapshotter.Benchmarks.Start;

// containerd.services.snapshots.v1.Snapshots/List, by hand: whatever a library's first call costs must not count.
internal static class SnapshotsCall
{
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    // Not compressed, 10 bytes: field 1 (snapshotter) of a ListSnapshotsRequest.
    private static readonly byte[] _message = [0, 0, 0, 0, 10, 0x0A, 8, .. "lazysnap"u8];

    public static async Task UntilAnsweredAsync(string socketPath)
    {
        using var patience = new CancellationTokenSource(_patience);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
                new NetworkStream(await ConnectAsync(socketPath, cancellationToken), ownsSocket: true),
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://socket/containerd.services.snapshots.v1.Snapshots/List")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(_message) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.Add("containerd-namespace", "default");
        using var response = await client.SendAsync(request, patience.Token);
        await response.Content.ReadAsByteArrayAsync(patience.Token);
        var status = response.TrailingHeaders.Concat(response.Headers).First(header => header.Key == "grpc-status").Value.Single();
        if (status != "0")
            throw new InvalidOperationException($"List answered with status {status}");
    }

    private static async Task<Socket> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                await Task.Delay(_pollInterval, cancellationToken);
            }
        }
    }
}
