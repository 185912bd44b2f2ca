using System.Net;
using System.Net.Sockets;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Registry.Tests;

// What the fault matrix (Faults/FaultMatrix.cs) has no column for: readers that share a failure or give up, what is counted
// and what is asked for again, descriptors that lie, and everything at once.
public sealed class BlobFaultTests
{
    private const int Start = 1000;
    private const int Length = 200_000;

    [Theory]
    [InlineData("1")]
    [InlineData("date")]
    public async Task Retry_After_is_honoured_in_seconds_and_as_a_date(string value)
    {
        await using var bench = await Bench.StartAsync();
        await bench.AssertReadsAsync(0, 1);
        var header = value == "date" ? DateTimeOffset.UtcNow.AddSeconds(2).ToString("R") : value;
        bench.Server.Faults.Add(Fault.Status(
            429, TestRequestKind.Blob, times: 1) with { Headers = new Dictionary<string, string> { ["Retry-After"] = header } });
        var started = DateTime.UtcNow;
        await bench.AssertReadsAsync(Start, Length);
        Assert.InRange(DateTime.UtcNow - started, TimeSpan.FromMilliseconds(900), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Reads_that_wait_for_the_first_share_its_refusal_and_name_their_own_range()
    {
        await using var bench = await Bench.StartAsync();
        await bench.AssertReadsAsync(0, 1);
        var missing = Oci.Digest.OfSha256("missing"u8);
        bench.Server.ClearLog();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(1) });
        var errors = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.OpenBlob(bench.Reference, missing, null)
                .OpenExactRangeAsync(i * 100, 100, ReadPriority.Demanded(), CancellationToken.None))));
        Assert.Equal("Blob", bench.TakeRequests());
        for (var i = 0; i < errors.Length; i++)
        {
            Assert.Equal(RegistryFailure.NotFound, errors[i].Failure);
            Assert.StartsWith(
                $"{bench.Server.Host}: blob {missing} bytes {i * 100}-{i * 100 + 99}: ", errors[i].Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_continued_at_its_byte()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, TruncateAt = 50_000, Times = 1 });
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal(["bytes=1000-200999", "bytes=51000-200999"], bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Blob)
            .Select(r => r.Range!));
        Assert.Equal(1, bench.Client.Statistics.ResumedBodies);
        Assert.Equal(0, bench.Client.Statistics.Repetitions);
        Assert.Equal(Length, bench.Client.Statistics.BlobBytes);
    }

    [Fact]
    public async Task A_host_that_is_not_there_is_unreachable()
    {
        await using var bench = await Bench.StartAsync();
        var nowhere = Oci.ImageReference.Parse("127.0.0.1:1/library/python");
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.OpenBlob(nowhere, bench.Blob.Digest, null)
                .OpenExactRangeAsync(0, 1, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        Assert.Contains("127.0.0.1:1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_is_reset_before_its_first_use_is_a_registry_that_does_not_answer()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new RegistryClient(
            Bench.Impatient with { RetryLimit = 0, DockerConfigPath = "/nonexistent", ConfigureHandler = handler =>
                handler.ConnectCallback = ConnectAsync }, NullLogger.Instance);
        var reference = Oci.ImageReference.Parse($"{listener.LocalEndPoint}/library/python");
        var error = await Assert.ThrowsAsync<RegistryException>(() => client.FindManifestAsync(reference, CancellationToken.None));
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        Assert.True(error.IsTransient);

        async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.LocalEndPoint!, cancellationToken);
            using (var peer = await listener.AcceptAsync(cancellationToken))
                peer.LingerState = new LingerOption(true, 0);
            Assert.True(socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead)); // the reset is here
            return new NetworkStream(socket, ownsSocket: true);
        }
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_cancellation_and_leaves_the_others_alone()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromMilliseconds(300), Times = 1 });
        using var impatience = new CancellationTokenSource();
        var first = bench.OpenBlob().OpenExactRangeAsync(0, 10, ReadPriority.Demanded(), impatience.Token);
        while (bench.Server.Count(TestRequestKind.Blob) == 0)
            await Task.Delay(5);
        var second = bench.AssertReadsAsync(Start, Length);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await second;
    }

    [Fact]
    public async Task A_read_that_was_cancelled_can_be_repeated_on_the_same_stream()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, StallAt = 0, Times = 1 });
        await using var stream = await bench.OpenBlob().OpenExactRangeAsync(Start, Length, ReadPriority.Demanded(), CancellationToken.None);
        using var impatience = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.ReadExactlyAsync(new byte[10], impatience.Token));
        Assert.Equal(bench.Content[Start..(Start + Length)], await Bench.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_host_that_ignores_Range_gives_the_wanted_bytes_all_the_same()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true });
        var blob = bench.OpenBlob();
        Assert.False(blob.IgnoresRange);
        Assert.Equal(bench.Content[Start..(Start + 500)], await bench.ReadAsync(Start, 500, blob));
        Assert.True(blob.IgnoresRange);
        await bench.AssertReadsAsync(200_000, 100);
        Assert.Single(bench.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));

        bench.Server.Faults.Clear();
        await bench.AssertReadsAsync(Start, 500);
        Assert.False(blob.IgnoresRange);
    }

    [Fact]
    public async Task A_host_that_ignores_Range_and_breaks_off_gives_the_wanted_bytes_too()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true, ResetAt = 150_000, Times = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true, ResetAt = 500, Times = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true });
        await bench.AssertReadsAsync(Start, Length);
    }

    [Fact]
    public async Task A_blob_of_another_length_than_its_descriptor_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        var blob = bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, 299_999);
        var error = await Assert.ThrowsAsync<RegistryException>(() => blob.OpenAsync(ReadPriority.Demanded(), CancellationToken.None));
        AssertNames(error, bench, "300000 bytes by Content-Length, its descriptor says 299999");
    }

    [Fact]
    public async Task A_range_beyond_the_end_is_not_even_asked_for_if_the_size_is_known()
    {
        await using var bench = await Bench.StartAsync();
        var error = await bench.FailsAsync(299_000, 1001);
        Assert.Equal(RegistryFailure.RangeNotSatisfiable, error.Failure);
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task A_descriptor_that_says_too_much_meets_416()
    {
        await using var bench = await Bench.StartAsync();
        var blob = bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, 400_000);
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => blob.OpenExactRangeAsync(350_000, 10, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.RangeNotSatisfiable, error.Failure);
        AssertNames(error, bench, "bytes 350000-350009", "the blob there has 300000 bytes", "its descriptor says 400000");
    }

    [Fact]
    public async Task A_flipped_byte_is_left_to_those_who_hold_the_digest()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, CorruptAt = 5 });
        var read = await bench.ReadAsync(Start, Length);
        Assert.Equal((byte)(bench.Content[Start + 5] ^ 0xff), read[5]);

        var small = bench.Server.Content.AddBlob(Bench.Repository, [.. bench.Content.AsSpan(0, 1000)]);
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.GetBlobBytesAsync(bench.Reference, small, CancellationToken.None));
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Contains($"{small.Digest}: the 1000 bytes received have the digest sha256:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_every_fault_now_and_then_every_byte_is_still_right()
    {
        const int Seed = 20240607;
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true, Seed = Seed },
            Bench.Impatient with { StallTimeout = TimeSpan.FromMilliseconds(150) });
        foreach (var fault in (ReadOnlySpan<Fault>)[
            Fault.Status(503), Fault.Status(429), new() { ResetBeforeAnswer = true },
            new() { Kind = TestRequestKind.Cdn, ResetAt = 700 }, new() { Kind = TestRequestKind.Cdn, TruncateAt = 800 },
            new() { Kind = TestRequestKind.Cdn, EndAt = 300 },
            new() { Kind = TestRequestKind.Cdn, StallAt = 5 }, new() { Kind = TestRequestKind.Cdn, IgnoreRange = true },
            Fault.Status(403, TestRequestKind.Cdn)])
        {
            bench.Server.Faults.Add(fault with { Probability = 0.05 });
        }

        var random = new Random(Seed);
        var ranges = Enumerable.Range(0, 200).Select(_ => (Offset: random.Next(290_000), Length: random.Next(1, 10_000))).ToList();
        await Parallel.ForEachAsync(ranges, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (range, _) =>
        {
            try
            {
                await bench.AssertReadsAsync(range.Offset, range.Length);
            }
            catch (RegistryException e)
            {
                // A 403 for a URL that is one request old is final: the next read tries again.
                Assert.True(e.Failure == RegistryFailure.Unauthorized, $"seed {Seed}: {e}");
            }
        });
    }

    private static void AssertNames(RegistryException error, Bench bench, params string[] parts)
    {
        Assert.StartsWith(error.Host, error.Message, StringComparison.Ordinal);
        Assert.Contains(bench.Blob.Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
