using System.Net.Sockets;
using System.Text;
using Containerd.Services.Snapshots.V1;
using Grpc.Core;
using Grpc.Net.Client;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Daemon.Snapshots;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Calls = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsClient;
using VersionClient = Containerd.Services.Version.V1.Version.VersionClient;

namespace LazySnapshotter.Daemon.Tests.Snapshots;

// What the server adds to gRPC: its limits, what becomes of a handler's exception, and how its socket comes and goes.
public sealed class SnapshotsServerTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("server-").FullName;
    private readonly ScriptedSnapshots _service = new();
    private SnapshotsServer? _server;
    private GrpcChannel? _channel;

    private string SocketPath => Path.Combine(_directory, "run", "test.sock");

    private Calls Client => new(_channel);

    public async Task InitializeAsync()
    {
        _server = await StartAsync(SocketPath);
        _channel = ContainerdChannel.Open(SocketPath);
    }

    public async Task DisposeAsync()
    {
        _channel!.Dispose();
        await _server!.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    [InlineData(5_000_000)]
    [InlineData(ContainerdChannel.MessageBytesMax - 1000)]
    public async Task Message_of_any_size_below_the_limit_passes_both_ways(int length)
    {
        var text = new string('x', length);
        Assert.Equal(text, (await Client.StatAsync(new() { Key = text })).Info.Name);
    }

    [Fact]
    public async Task Message_over_the_limit_is_refused()
    {
        var request = new StatSnapshotRequest { Key = new string('x', ContainerdChannel.MessageBytesMax) };
        await AssertStatusAsync(StatusCode.ResourceExhausted, async () => await Client.StatAsync(request));
        using var stranger = OpenStranger();
        await AssertStatusAsync(StatusCode.ResourceExhausted, async () => await new Calls(stranger).StatAsync(request));
    }

    [Theory]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.AlreadyExists)]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.Unknown)]
    public async Task Text_of_a_failure_reaches_the_client_whatever_its_characters(StatusCode expected)
    {
        const string text = "snapshot \"a\": 100 % nicht da – 不存在\nzweite Zeile";
        _service.Failure = expected switch
        {
            StatusCode.NotFound => new SnapshotNotFoundException(text),
            StatusCode.AlreadyExists => new SnapshotExistsException(text),
            StatusCode.InvalidArgument => new SnapshotArgumentException(text),
            StatusCode.FailedPrecondition => new SnapshotStateException(text),
            _ => new InvalidOperationException(text),
        };
        var e = await AssertStatusAsync(expected, async () => await Client.StatAsync(new()));
        Assert.Equal(text, e.Status.Detail);
    }

    [Fact]
    public async Task Very_long_text_of_a_failure_is_cut()
    {
        _service.Failure = new IOException(new string('不', 1_000_000));
        var e = await AssertStatusAsync(StatusCode.Unknown, async () => await Client.StatAsync(new()));
        Assert.InRange(e.Status.Detail.Length, 1000, 5000);
    }

    [Fact]
    public async Task Stream_ends_with_its_status_after_the_messages()
    {
        _service.Failure = new IOException("the disk is gone");
        var received = 0;
        var e = await AssertStatusAsync(StatusCode.Unknown, async () =>
        {
            using var call = Client.List(new());
            await foreach (var _ in call.ResponseStream.ReadAllAsync())
                received++;
        });
        Assert.Equal((3, "the disk is gone"), (received, e.Status.Detail));
    }

    [Fact]
    public async Task Unknown_method_is_unimplemented() =>
        await AssertStatusAsync(StatusCode.Unimplemented, async () => await new VersionClient(_channel).VersionAsync(new()));

    [Fact]
    public async Task Namespace_and_lease_of_a_client_go_with_each_call()
    {
        var connection = new ContainerdConnection(_channel!, SocketPath, "k8s.io", leaseId: null).UnderLease("lease-1");
        var answer = await connection.CallAsync(
            new Calls(connection.Channel).StatAsync, new StatSnapshotRequest { Key = "k" }, CancellationToken.None);
        Assert.Equal("k8s.io", answer.Info.Labels["containerd-namespace"]);
        Assert.Equal("lease-1", answer.Info.Labels["containerd-lease"]);
    }

    [Fact]
    public async Task Deadline_ends_the_call_on_both_sides()
    {
        using var stranger = OpenStranger();
        using var call = new Calls(stranger).CleanupAsync(new(), deadline: DateTime.UtcNow.AddMilliseconds(200));
        await AssertStatusAsync(StatusCode.DeadlineExceeded, () => call.ResponseAsync);
        await _service.HangCancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Cancelling_a_call_cancels_the_handler()
    {
        using var cancellation = new CancellationTokenSource();
        using var call = Client.CleanupAsync(new(), cancellationToken: cancellation.Token);
        await Task.Delay(100);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.ResponseAsync);
        await _service.HangCancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Socket_that_is_not_there_is_named()
    {
        var path = Path.Combine(_directory, "nobody.sock");
        using var nobody = new ContainerdClient(path);
        var e = await Assert.ThrowsAsync<ContainerdUnreachableException>(() => nobody.Version.GetAsync(CancellationToken.None));
        Assert.Contains(path + ": no such socket", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_of_containerd_is_told_with_its_own_words()
    {
        using var other = new ContainerdClient(SocketPath);
        _service.Failure = new SnapshotStateException("it is busy");
        var e = await Assert.ThrowsAsync<ContainerdException>(() => other.Snapshots("s").ExistsAsync("k", CancellationToken.None));
        Assert.Equal((StatusCode.FailedPrecondition, "it is busy", true), (e.Status, e.Message, e.IsAnswer));
    }

    [Fact]
    public async Task Channel_connects_again_after_the_server_was_restarted()
    {
        await Client.StatAsync(new() { Key = "a" });
        await _server!.DisposeAsync();
        Assert.False(File.Exists(SocketPath));
        await AssertStatusAsync(StatusCode.Unavailable, async () => await Client.StatAsync(new() { Key = "b" }));
        _server = await StartAsync(SocketPath);
        Assert.Equal("c", (await Client.StatAsync(new() { Key = "c" })).Info.Name);
    }

    [Fact]
    public async Task Socket_is_open_to_its_owner_alone_and_not_taken_from_a_living_server()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        var e = await Assert.ThrowsAnyAsync<IOException>(() => StartAsync(SocketPath));
        Assert.Contains(SocketPath, e.Message, StringComparison.Ordinal);
        Assert.Equal("still here", (await Client.StatAsync(new() { Key = "still here" })).Info.Name);
    }

    [Fact]
    public async Task Socket_has_its_name_only_when_it_answers()
    {
        var path = Path.Combine(_directory, "late.sock");
        using (var bound = UnixListenSocket.Bind(path))
        {
            Assert.False(File.Exists(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(UnixListenSocket.HiddenPath(path)));
            bound.Listen();
            UnixListenSocket.Show(path);
            using var connected = await ConnectAsync(path);
        }

        await using var server = await StartAsync(path); // over the stale one
        Assert.Equal([path], Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task Stale_socket_under_the_hidden_name_is_replaced()
    {
        var path = Path.Combine(_directory, "again.sock");
        MakeStale(UnixListenSocket.HiddenPath(path));
        MakeStale(path);
        await using var server = await StartAsync(path);
        using var connected = await ConnectAsync(path);
    }

    [Fact]
    public async Task Ordinary_file_is_not_replaced()
    {
        var file = Path.Combine(_directory, "notes.txt");
        await File.WriteAllTextAsync(file, "keep me");
        await Assert.ThrowsAnyAsync<IOException>(() => StartAsync(file));
        Assert.Equal("keep me", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task Path_as_long_as_a_socket_can_have_is_served()
    {
        var path = _directory;
        path += "/" + new string('s', 107 - Encoding.UTF8.GetByteCount(path) - 1);
        await using var server = await StartAsync(path);
        using var connected = await ConnectAsync(path);
    }

    // Nothing of a server lies where temporary files do.
    [Fact]
    public async Task Long_name_of_the_directory_for_temporary_files_does_not_matter()
    {
        var before = Environment.GetEnvironmentVariable("TMPDIR");
        Environment.SetEnvironmentVariable("TMPDIR", Path.Combine("/tmp", new string('t', 120)));
        try
        {
            await using var server = await StartAsync(Path.Combine(_directory, "tmpdir.sock"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("TMPDIR", before);
        }
    }

    private static void MakeStale(string path)
    {
        using var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(path + ".kept"));
        File.Move(path + ".kept", path);
    }

    private static async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    // A client without the limits and habits of ours.
    private GrpcChannel OpenStranger() => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, _) => new NetworkStream(await ConnectAsync(SocketPath), ownsSocket: true),
        },
        MaxSendMessageSize = null,
        MaxReceiveMessageSize = null,
    });

    private static async Task<RpcException> AssertStatusAsync(StatusCode expected, Func<Task> call)
    {
        var e = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(expected, e.StatusCode);
        return e;
    }

    private Task<SnapshotsServer> StartAsync(string path) =>
        SnapshotsServer.StartAsync(path, _service, NullLoggerFactory.Instance, CancellationToken.None);
}
