using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace LazySnapshotter.TestSupport.Registry;

/// <summary>The three hosts that a test registry is to its clients.</summary>
public enum TestHost
{
    Registry,
    TokenService,
    Cdn,
}

public enum ConnectionTrouble
{
    /// <summary>RST as soon as it is accepted.</summary>
    Reset,

    /// <summary>FIN as soon as it is accepted.</summary>
    Close,

    /// <summary>Accepted, and never a byte: not of TLS either.</summary>
    Silence,

    /// <summary>Bytes that are neither TLS nor HTTP, then FIN.</summary>
    Garbage,
}

// What befalls a connection rather than a request: nobody knows yet what it was to carry.
public sealed record ConnectionFault(TestHost Host, ConnectionTrouble Trouble)
{
    /// <summary>How many connections are befallen.</summary>
    public int Times { get; init; } = int.MaxValue;

    public double Probability { get; init; } = 1;

    internal static async Task SufferAsync(ConnectionContext connection, ConnectionTrouble trouble)
    {
        switch (trouble)
        {
            case ConnectionTrouble.Reset:
                // Closing with bytes to send given up is a reset.
                if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
                    socket.LingerState = new LingerOption(true, 0);
                connection.Abort();
                break;
            case ConnectionTrouble.Garbage:
                await connection.Transport.Output.WriteAsync("\u0001\u0002\u0003 this is neither TLS nor HTTP\r\n\r\n"u8.ToArray());
                await connection.Transport.Output.CompleteAsync();
                break;
            case ConnectionTrouble.Silence:
                var closed = new TaskCompletionSource();
                await using (connection.ConnectionClosed.Register(closed.SetResult))
                    await closed.Task;
                break;
            default:
                await connection.Transport.Output.CompleteAsync();
                break;
        }
    }
}
