using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LazySnapshotter.TestSupport.Proxies;

// An http proxy on loopback: tunnels CONNECT, passes other requests on, and writes down what it was asked for. Every name
// is this machine to it, so that hosts can be named which do not exist.
public sealed class TestProxy : IAsyncDisposable
{
    private const int HeaderBytesMax = 64 << 10;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly string? _login;
    private readonly Task _accepting;

    /// <param name="login">name:password; null lets everybody in.</param>
    public TestProxy(string? login = null)
    {
        _login = login;
        _listener.Start();
        Host = _listener.LocalEndpoint.ToString()!;
        _accepting = AcceptAsync();
    }

    public string Host { get; }

    /// <summary>
    /// Method and target of each, for example <c>CONNECT registry.example:443</c>; those refused for want of a login too.
    /// </summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                var near = client.GetStream();
                while (await ReadHeadAsync(near) is { Length: > 0 } head)
                {
                    var words = head[..head.IndexOf("\r\n", StringComparison.Ordinal)].Split(' ');
                    _requests.Enqueue($"{words[0]} {words[1]}");
                    if (_login is not null
                        && !head.Contains("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(_login)), StringComparison.Ordinal))
                    {
                        await SendAsync(near, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic " +
                            "realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n");
                        continue;
                    }

                    await PassOnAsync(near, head, words);
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One of the two left.
        }
    }

    private async Task PassOnAsync(NetworkStream near, string head, string[] words)
    {
        var isTunnel = words[0] == "CONNECT";
        var target = new Uri(isTunnel ? "http://" + words[1] : words[1]);
        using var server = new TcpClient();
        await server.ConnectAsync(IPAddress.Loopback, target.Port, _stop.Token);
        var far = server.GetStream();
        // One request per connection is enough: the rest of the bytes is copied as it comes.
        if (isTunnel)
            await SendAsync(near, "HTTP/1.1 200 Connection established\r\n\r\n");
        else
            await SendAsync(far, head.Replace(words[1], target.PathAndQuery, StringComparison.Ordinal)
                .Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
        await Task.WhenAny(near.CopyToAsync(far, _stop.Token), far.CopyToAsync(near, _stop.Token));
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (head.Length < HeaderBytesMax && await stream.ReadAsync(one, _stop.Token) > 0)
        {
            head.Append((char)one[0]);
            if (one[0] == '\n' && head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                return head.ToString();
        }

        return "";
    }

    private async Task SendAsync(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.Latin1.GetBytes(text), _stop.Token);
}
