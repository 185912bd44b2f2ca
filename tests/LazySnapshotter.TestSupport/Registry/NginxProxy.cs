using System.Net;
using System.Net.Sockets;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Registry;

// nginx, as it stands in front of many registries: ends TLS, speaks HTTP/2, caches in slices, compresses what it may, turns
// its own troubles into 502 and 503. Its configuration is the test's; only listening, logs and paths are set here.
public sealed class NginxProxy : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(10);
    private const int StartAttempts = 5;

    // Not in the PATH of those who are not root.
    private const string DebianPath = "/usr/sbin/nginx";

    private readonly TestDirectory _directory;
    private readonly BackgroundProcess _process;

    private NginxProxy(TestDirectory directory, BackgroundProcess process, int port)
    {
        _directory = directory;
        _process = process;
        Address = $"127.0.0.1:{port}";
    }

    public string Address { get; }

    /// <summary>FOLDER of its configuration.</summary>
    public string Folder => _directory.Path;

    /// <summary>With <c>useTls</c>: what a client must trust.</summary>
    public string CertificateFile => _directory.Combine("certificate.pem");

    /// <summary>One line per request: method, URL, status, range, bytes, what the cache said, protocol.</summary>
    public IReadOnlyList<string> AccessLog =>
        File.Exists(_directory.Combine("access.log")) ? File.ReadAllLines(_directory.Combine("access.log")) : [];

    /// <param name="server">What stands inside <c>server { }</c>. <c>FOLDER</c> in it is a folder of this nginx.</param>
    /// <param name="http">What stands beside it, inside <c>http { }</c>.</param>
    public static async Task<NginxProxy> StartAsync(string server, string http = "", bool useTls = false)
    {
        for (var attempt = 1; ; attempt++)
        {
            // nginx cannot say which free port it took, so it is told one; somebody may be faster.
            var directory = TestDirectory.Create();
            var port = FreePort();
            var process = await StartAsync(directory, port, server, http, useTls);
            try
            {
                await process.WaitUntilAsync("listening", () => AcceptsAsync(port), StartTimeout);
                return new NginxProxy(directory, process, port);
            }
            catch (Exception e)
            {
                await process.DisposeAsync();
                await directory.DisposeAsync();
                if (attempt == StartAttempts || !e.Message.Contains("Address already in use", StringComparison.Ordinal))
                    throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Asked politely it takes its workers with it.
        await _process.StopAsync(StartTimeout);
        await _process.DisposeAsync();
        await _directory.DisposeAsync();
    }

    private static async Task<BackgroundProcess> StartAsync(TestDirectory directory, int port, string server, string http, bool useTls)
    {
        if (useTls)
            await TestCertificate.WriteAsync(directory.Combine("certificate.pem"));
        var configuration = directory.Combine("nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            daemon off;
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            worker_processes 1;
            pid {{directory.Combine("pid")}};
            error_log stderr warn;
            events { worker_connections 256; }
            http {
                log_format tests '$request_method $request_uri $status "$http_range" $body_bytes_sent $upstream_cache_status $server_protocol';
                access_log {{directory.Combine("access.log")}} tests;
                client_body_temp_path {{directory.Combine("body")}};
                proxy_temp_path {{directory.Combine("proxy")}};
                fastcgi_temp_path {{directory.Combine("fastcgi")}};
                uwsgi_temp_path {{directory.Combine("uwsgi")}};
                scgi_temp_path {{directory.Combine("scgi")}};
                client_max_body_size 0;
                {{http.Replace("FOLDER", directory.Path, StringComparison.Ordinal)}}
                server {
                    listen 127.0.0.1:{{port}}{{(useTls ? " ssl http2" : "")}};
                    {{(useTls ? $"ssl_certificate {directory.Combine("certificate.pem")}; ssl_certificate_key {directory.Combine("certificate.pem")};" : "")}}
                    {{server.Replace("FOLDER", directory.Path, StringComparison.Ordinal)}}
                }
            }
            """);
        return BackgroundProcess.Start(File.Exists(DebianPath) ? DebianPath : "nginx", ["-p", directory.Path, "-c", configuration]);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<bool> AcceptsAsync(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
