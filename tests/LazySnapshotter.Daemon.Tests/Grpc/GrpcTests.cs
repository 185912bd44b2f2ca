using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Daemon.Tests.Grpc;

// The gRPC layer against itself over a real Unix socket: what one end sends, the other gets.
public sealed class GrpcTests : IAsyncLifetime
{
    private static readonly GrpcMethod<StringValue, StringValue> Echo = Method("Echo");
    private static readonly GrpcMethod<StringValue, StringValue> Fail = Method("Fail");
    private static readonly GrpcMethod<StringValue, StringValue> Hang = Method("Hang");
    private static readonly GrpcMethod<StringValue, StringValue> Metadata = Method("Metadata");
    private static readonly GrpcMethod<StringValue, StringValue> Count = Method("Count");

    private readonly string _directory = Directory.CreateTempSubdirectory("grpc-").FullName;
    private readonly TaskCompletionSource _hangCancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GrpcServer? _server;
    private GrpcChannel? _channel;

    private string SocketPath => Path.Combine(_directory, "run", "test.sock");

    private GrpcChannel Channel => _channel!;

    public async Task InitializeAsync()
    {
        _server = await GrpcServer.StartAsync(SocketPath, Services(), NullLoggerFactory.Instance, CancellationToken.None);
        _channel = new GrpcChannel(SocketPath);
    }

    public async Task DisposeAsync()
    {
        _channel!.Dispose();
        await _server!.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(5_000_000)]
    public async Task Unary_answers_a_message_of_any_size_below_the_limit(int length)
    {
        var text = new string('x', length);
        Assert.Equal(text, (await Channel.UnaryAsync(Echo, new StringValue { Value = text })).Value);
    }

    [Fact]
    public async Task Many_unary_calls_share_the_connection()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => Channel.UnaryAsync(Echo, new StringValue { Value = $"{i}" })));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}"), answers.Select(a => a.Value));
    }

    [Fact]
    public async Task Status_and_message_of_a_failed_call_arrive_whatever_their_characters()
    {
        const string message = "snapshot \"a\": 100 % nicht da – 不存在\nzweite Zeile";
        var e = await Assert.ThrowsAsync<GrpcException>(() => Channel.UnaryAsync(Fail, new StringValue { Value = message }));
        Assert.Equal(StatusCode.NotFound, e.Status);
        Assert.Equal(message, e.Message);
    }

    [Fact]
    public async Task Very_long_status_message_is_cut()
    {
        var e = await Assert.ThrowsAsync<GrpcException>(() => Channel.UnaryAsync(Fail, new StringValue { Value = new string('m', 1_000_000) }));
        Assert.Equal(StatusCode.NotFound, e.Status);
        Assert.InRange(e.Message.Length, 1000, GrpcLimits.StatusMessageBytesMax);
    }

    [Fact]
    public async Task Unknown_method_is_unimplemented()
    {
        var e = await Assert.ThrowsAsync<GrpcException>(() => Channel.UnaryAsync(Method("Nobody"), new StringValue()));
        Assert.Equal(StatusCode.Unimplemented, e.Status);
    }

    [Fact]
    public async Task Exception_nobody_foresaw_is_unknown()
    {
        var e = await Assert.ThrowsAsync<GrpcException>(() => Channel.UnaryAsync(Fail, new StringValue { Value = "" }));
        Assert.Equal(StatusCode.Unknown, e.Status);
    }

    [Fact]
    public async Task Metadata_reaches_the_handler()
    {
        var options = new GrpcCallOptions(new Dictionary<string, string> { ["containerd-namespace"] = "k8s.io" });
        Assert.Equal("k8s.io", (await Channel.UnaryAsync(Metadata, new StringValue { Value = "containerd-namespace" }, options)).Value);
    }

    [Fact]
    public async Task Deadline_ends_the_call_on_both_sides()
    {
        var options = new GrpcCallOptions(Timeout: TimeSpan.FromMilliseconds(200));
        var e = await Assert.ThrowsAsync<GrpcException>(() => Channel.UnaryAsync(Hang, new StringValue(), options));
        Assert.Equal(StatusCode.DeadlineExceeded, e.Status);
        await _hangCancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Cancelling_a_call_cancels_the_handler()
    {
        using var cancellation = new CancellationTokenSource();
        var call = Channel.UnaryAsync(Hang, new StringValue(), cancellationToken: cancellation.Token);
        await Task.Delay(100);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await _hangCancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Server_streaming_gives_every_message_in_order()
    {
        var received = new List<string>();
        await foreach (var message in Channel.ServerStreamingAsync(Count, new StringValue { Value = "1000" }))
            received.Add(message.Value);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}"), received);
    }

    [Fact]
    public async Task Server_streaming_ends_with_its_status_after_the_messages()
    {
        var received = 0;
        var e = await Assert.ThrowsAsync<GrpcException>(async () =>
        {
            await foreach (var _ in Channel.ServerStreamingAsync(Count, new StringValue { Value = "3 then fail" }))
                received++;
        });
        Assert.Equal(3, received);
        Assert.Equal(StatusCode.Aborted, e.Status);
    }

    [Fact]
    public async Task Message_over_the_limit_is_refused_before_it_is_sent()
    {
        var e = await Assert.ThrowsAsync<GrpcException>(
            () => Channel.UnaryAsync(Echo, new StringValue { Value = new string('x', GrpcLimits.MessageBytesMax) }));
        Assert.Equal(StatusCode.ResourceExhausted, e.Status);
    }

    [Theory]
    [InlineData("01 00000000", StatusCode.Unimplemented)]
    [InlineData("00 FFFFFFFF", StatusCode.ResourceExhausted)]
    [InlineData("00 00000005 0A", StatusCode.Internal)]
    [InlineData("00 0000", StatusCode.Internal)]
    [InlineData("", StatusCode.Internal)]
    [InlineData("00 00000002 0AFF", StatusCode.Internal)]
    [InlineData("00 00000000 00 00000000", StatusCode.Internal)]
    public async Task Malformed_request_body_ends_the_call_with_a_status(string hex, StatusCode expected)
    {
        using var response = await PostAsync(Echo.Path, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), null);
        Assert.Equal($"{(int)expected}", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task Malformed_timeout_ends_the_call_with_a_status()
    {
        using var response = await PostAsync(Echo.Path, Convert.FromHexString("0000000000"), "10x");
        Assert.Equal("13", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task Socket_that_is_not_there_is_unavailable_and_named()
    {
        using var channel = new GrpcChannel(Path.Combine(_directory, "nobody.sock"));
        var e = await Assert.ThrowsAsync<GrpcException>(() => channel.UnaryAsync(Echo, new StringValue()));
        Assert.Equal(StatusCode.Unavailable, e.Status);
        Assert.Contains("nobody.sock", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Channel_connects_again_after_the_server_was_restarted()
    {
        await Channel.UnaryAsync(Echo, new StringValue { Value = "a" });
        await _server!.DisposeAsync();
        await Assert.ThrowsAsync<GrpcException>(() => Channel.UnaryAsync(Echo, new StringValue { Value = "b" }));
        _server = await GrpcServer.StartAsync(SocketPath, Services(), NullLoggerFactory.Instance, CancellationToken.None);
        Assert.Equal("c", (await Channel.UnaryAsync(Echo, new StringValue { Value = "c" })).Value);
    }

    [Fact]
    public async Task Socket_is_open_to_its_owner_alone_and_not_taken_from_a_living_server()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        var e = await Assert.ThrowsAnyAsync<IOException>(
            () => GrpcServer.StartAsync(SocketPath, Services(), NullLoggerFactory.Instance, CancellationToken.None));
        Assert.Contains(SocketPath, e.Message, StringComparison.Ordinal);
        Assert.Equal("still here", (await Channel.UnaryAsync(Echo, new StringValue { Value = "still here" })).Value);
    }

    [Fact]
    public async Task Stale_socket_is_replaced_and_an_ordinary_file_is_not()
    {
        var stale = Path.Combine(_directory, "stale.sock");
        using (var dead = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified))
        {
            dead.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(stale));
            File.Move(stale, stale + ".kept");
        }

        File.Move(stale + ".kept", stale);
        await using (await GrpcServer.StartAsync(stale, Services(), NullLoggerFactory.Instance, CancellationToken.None))
        {
        }

        var file = Path.Combine(_directory, "notes.txt");
        await File.WriteAllTextAsync(file, "keep me");
        await Assert.ThrowsAnyAsync<IOException>(
            () => GrpcServer.StartAsync(file, Services(), NullLoggerFactory.Instance, CancellationToken.None));
        Assert.Equal("keep me", await File.ReadAllTextAsync(file));
    }

    private static GrpcMethod<StringValue, StringValue> Method(string name) => new("test.Test", name, StringValue.Parser, StringValue.Parser);

    private GrpcServiceTable Services() => new GrpcServiceTable()
        .Unary(Echo, (request, _) => Task.FromResult(request))
        .Unary(Fail, (request, _) => throw (request.Value.Length == 0
            ? new InvalidOperationException("not foreseen")
            : new GrpcException(StatusCode.NotFound, request.Value)))
        .Unary(Hang, async (request, context) =>
        {
            using var _ = context.CancellationToken.Register(() => _hangCancelled.TrySetResult());
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return request;
        })
        .Unary(Metadata, (request, context) => Task.FromResult(new StringValue { Value = context.Metadata(request.Value) }))
        .ServerStreaming(Count, async (request, responses, context) =>
        {
            var words = request.Value.Split(' ');
            for (var i = 0; i < int.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture); i++)
                await responses.WriteAsync(new StringValue { Value = $"{i}" }, context.CancellationToken);
            if (words.Length > 1)
                throw new GrpcException(StatusCode.Aborted, "as asked");
        });

    private async Task<HttpResponseMessage> PostAsync(string path, byte[] body, string? timeout)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new System.Net.Sockets.Socket(
                    System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(SocketPath), cancellationToken);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost" + path)
        {
            Version = new Version(2, 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        if (timeout is not null)
            request.Headers.TryAddWithoutValidation("grpc-timeout", timeout);
        return await http.SendAsync(request);
    }
}
