using System.Text;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Fuzz.Targets;

// HTTPS_PROXY in the first line, NO_PROXY in the second, and where a request then goes.
internal sealed class ProxyTarget : FuzzTarget
{
    private static readonly Uri[] _destinations =
        [new("https://registry.example:5000/v2/"), new("https://10.1.2.3/"), new("https://[fd00::1]:443/"), new("https://localhost/")];

    public override string Name => "proxy";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        "proxy.example:3128\n10.0.0.0/8,.example:5000,*.other,fd00::/8", "http://user:p%40ss@proxy.example/\n*",
        "socks5://[::1]:1080\n[fd00::1]:443, 10.1.2.3 ,10.1.2.3/33", "\n");

    public override IReadOnlyList<string> Words { get; } =
        ["http://", "socks5://", "user:pass@", "/8", "/128", "*.", ".example", ":443", "fd00::", "10.0.0.0", "%"];

    public override int LengthMax => 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n');
        if (lines.Length != 2)
            throw new InvalidDataException("not two lines");
        var proxy = new EnvironmentProxy(name => name switch { "HTTPS_PROXY" => lines[0], "NO_PROXY" => lines[1], _ => null });
        foreach (var destination in _destinations)
        {
            if (proxy.GetProxy(destination) is not { } way)
                continue;
            if (way.UserInfo.Length > 0)
                throw new InvalidOperationException("a login in the proxy's URL");
            _ = proxy.Credentials?.GetCredential(way, "Basic");
        }
    }
}
