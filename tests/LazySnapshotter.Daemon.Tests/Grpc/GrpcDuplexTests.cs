using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LazySnapshotter.Daemon.Tests.Grpc;

// Bidirectional streaming, which only the client half of the program uses (containerd's content.Write): against a
// small peer on Kestrel that answers each message before it reads the next.
public sealed class GrpcDuplexTests : IAsyncLifetime
{
    private static readonly GrpcMethod<StringValue, StringValue> Upper = new("test.Test", "Upper", StringValue.Parser, StringValue.Parser);

    private readonly string _directory = Directory.CreateTempSubdirectory("duplex-").FullName;
    private KestrelServer? _kestrel;
    private GrpcChannel? _channel;

    public async Task InitializeAsync()
    {
        var options = new KestrelServerOptions();
        var path = Path.Combine(_directory, "s.sock");
        options.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http2);
        _kestrel = new KestrelServer(
            Options.Create(options),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
        await _kestrel.StartAsync(new Peer(), CancellationToken.None);
        _channel = new GrpcChannel(path);
    }

    public async Task DisposeAsync()
    {
        _channel!.Dispose();
        await _kestrel!.StopAsync(new CancellationToken(canceled: true));
        _kestrel.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Each_message_is_answered_before_the_next_is_sent()
    {
        await using var call = _channel!.StartDuplex(Upper);
        for (var i = 0; i < 20; i++)
        {
            await call.WriteAsync(new StringValue { Value = $"part {i}" });
            Assert.Equal($"PART {i}", (await call.ReadAsync())?.Value);
        }

        call.Complete();
        Assert.Null(await call.ReadAsync());
    }

    [Fact]
    public async Task Large_parts_pass_both_ways()
    {
        await using var call = _channel!.StartDuplex(Upper);
        var part = new string('a', 3_000_000);
        await call.WriteAsync(new StringValue { Value = part });
        Assert.Equal(part.Length, (await call.ReadAsync())?.Value.Length);
        call.Complete();
        Assert.Null(await call.ReadAsync());
    }

    [Fact]
    public async Task Status_ends_the_call_while_the_client_still_wants_to_write()
    {
        await using var call = _channel!.StartDuplex(Upper);
        await call.WriteAsync(new StringValue { Value = "fail" });
        var e = await Assert.ThrowsAsync<GrpcException>(() => call.ReadAsync());
        Assert.Equal(StatusCode.FailedPrecondition, e.Status);
        Assert.Equal("as asked", e.Message);
    }

    [Fact]
    public async Task Call_that_is_left_alone_is_abandoned_on_dispose()
    {
        await using var call = _channel!.StartDuplex(Upper);
        await call.WriteAsync(new StringValue { Value = "x" });
    }

    [Fact]
    public async Task Missing_server_is_unavailable_for_the_writer_and_the_reader()
    {
        using var nobody = new GrpcChannel(Path.Combine(_directory, "nobody.sock"));
        await using var call = nobody.StartDuplex(Upper);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<GrpcException>(() => call.WriteAsync(new StringValue()))).Status);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<GrpcException>(() => call.ReadAsync())).Status);
    }

    private sealed class Peer : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public async Task ProcessRequestAsync(HttpContext context)
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.StartAsync();
            var messages = new MessageReader(context.Request.BodyReader);
            var status = StatusCode.Ok;
            while (await messages.ReadAsync(StringValue.Parser, context.RequestAborted) is { } message)
            {
                if (message.Value == "fail")
                {
                    status = StatusCode.FailedPrecondition;
                    context.Response.AppendTrailer("grpc-message", "as asked");
                    break;
                }

                MessageFrame.Write(context.Response.BodyWriter, new StringValue { Value = message.Value.ToUpperInvariant() });
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            }

            context.Response.AppendTrailer("grpc-status", ((int)status).ToString(CultureInfo.InvariantCulture));
        }
    }
}
