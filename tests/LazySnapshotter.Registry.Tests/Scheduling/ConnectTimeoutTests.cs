using System.Net;
using System.Net.Sockets;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;

namespace LazySnapshotter.Registry.Tests.Scheduling;

// A host that neither accepts nor refuses. (First byte, silence and deadline are in BlobFaultTests.)
public sealed class ConnectTimeoutTests
{
    [Fact]
    public async Task A_host_that_does_not_take_the_connection_is_given_up_and_the_error_says_which_wait_ended()
    {
        // Nobody accepts here, and the backlog is full: Linux drops further SYNs.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var host = listener.LocalEndPoint!.ToString()!;
        var fillers = Enumerable.Range(0, 4)
            .Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false }).ToList();
        foreach (var filler in fillers)
            _ = filler.ConnectAsync(listener.LocalEndPoint);

        using var client = new RegistryClient(
            Bench.Impatient with { ConnectTimeout = TimeSpan.FromMilliseconds(
                200), ResponseTimeout = TimeSpan.FromSeconds(60), RetryLimit = 1 }, new CapturedLogs());
        var blob = client.OpenBlob(ImageReference.Parse($"{host}/library/python"), Digest.OfSha256("x"u8), 10);
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => blob.OpenExactRangeAsync(0, 10, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.TimedOut, error.Failure);
        Assert.Contains($"{host}: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("no connection within 0.2 s", error.Message, StringComparison.Ordinal);
        fillers.ForEach(f => f.Dispose());
    }
}
