using System.Security.Cryptography.X509Certificates;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// A registry, a client that talks to it with short waits, one blob, and everything the client logged.
internal sealed class Bench : IAsyncDisposable
{
    public const string Repository = "library/python";

    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-registry-").FullName;
    private readonly bool _ownsLog;

    private Bench(TestRegistry server, RegistryOptions options, CapturedLogs? log, bool remembers)
    {
        Server = server;
        _ownsLog = log is null;
        Log = log ?? new CapturedLogs();
        Options = options with
        {
            DockerConfigPath = Path.Combine(_folder, "config.json"),
            MemoryPath = remembers ? Path.Combine(_folder, "memory") : options.MemoryPath,
            Clock = Clock,
            ConfigureHandler = handler => handler.SslOptions.RemoteCertificateValidationCallback =
                (_, certificate, _, _) => certificate is X509Certificate2 shown && shown.Equals(server.Certificate),
        };
        Client = new RegistryClient(Options, Log);
        Content = new byte[300_000];
        new Random(7).NextBytes(Content);
        Blob = server.Content.AddBlob(Repository, Content, MediaTypes.OciLayerGzip);
    }

    /// <summary>Short waits, but none so short that a busy machine is taken for a fault.</summary>
    public static RegistryOptions Impatient { get; } = new()
    {
        RetryDelay = TimeSpan.FromMilliseconds(1),
        RetryDelayMax = TimeSpan.FromMilliseconds(20),
        StallTimeout = TimeSpan.FromSeconds(2),
        ResponseTimeout = TimeSpan.FromSeconds(2),
        DocumentDeadline = TimeSpan.FromSeconds(20),
        RangeDeadline = TimeSpan.FromSeconds(20),
    };

    public TestRegistry Server { get; }

    public RegistryOptions Options { get; }

    public RegistryClient Client { get; private set; }

    public CapturedLogs Log { get; }

    public MovableClock Clock { get; } = new();

    public byte[] Content { get; }

    public Descriptor Blob { get; }

    public ImageReference Reference => Server.Reference(Repository);

    public string DockerConfigPath => Options.DockerConfigPath!;

    /// <param name="remembers">What the client learns survives <see cref="Restart"/>.</param>
    public static async Task<Bench> StartAsync(
        TestRegistryOptions? server = null, RegistryOptions? client = null, CapturedLogs? log = null, bool remembers = false) =>
        new(await TestRegistry.StartAsync(server), client ?? Impatient, log, remembers);

    /// <summary>Another process in the place of the first.</summary>
    public void Restart()
    {
        Client.Dispose();
        Client = new RegistryClient(Options, Log);
    }

    public RemoteBlob OpenBlob() => Client.OpenBlob(Reference, Blob.Digest, Blob.Size);

    public void WriteDockerConfig(string username, string password)
    {
        var auth = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{username}:{password}"));
        File.WriteAllText(DockerConfigPath, $$$$"""{"auths":{"{{{{Server.Host}}}}":{"auth":"{{{{auth}}}}"}}}""");
    }

    public async Task<byte[]> ReadAsync(long offset, long length, RemoteBlob? blob = null)
    {
        await using var stream = await (blob ?? OpenBlob())
            .OpenExactRangeAsync(offset, length, ReadPriority.Demanded(), CancellationToken.None);
        return await ReadAllAsync(stream);
    }

    public async Task AssertReadsAsync(int offset, int length)
    {
        var read = await ReadAsync(offset, length);
        Assert.True(read.AsSpan().SequenceEqual(Content.AsSpan(offset, length)), $"bytes {offset}+{length} differ");
    }

    public Task<RegistryException> FailsAsync(long offset, long length) =>
        Assert.ThrowsAsync<RegistryException>(() => ReadAsync(offset, length));

    /// <summary>What the server saw since the last call, for example "Ping Token Blob Cdn".</summary>
    public string TakeRequests()
    {
        var kinds = string.Join(' ', Server.Requests.Select(r => r.Kind));
        Server.ClearLog();
        return kinds;
    }

    public static async Task<byte[]> ReadAllAsync(Stream stream)
    {
        using var content = new MemoryStream();
        await stream.CopyToAsync(content);
        return content.ToArray();
    }

    public static void AssertNoSecretIn(string text, IEnumerable<string> secrets)
    {
        var found = SecretScan.Find(secrets, text);
        Assert.True(found.Count == 0, $"secrets found:\n{string.Join("\n\n", found)}");
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < 500 && Client.HostActivity.Any(h => h.Active + h.Waiting > 0); i++)
            await Task.Delay(10);
        var left = string.Join(", ", Client.HostActivity.Where(h => h.Active + h.Waiting > 0));
        Client.Dispose();
        await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        // After every test there is: nothing secret was logged (a log of several is searched by who made it), no request kept its turn.
        if (_ownsLog)
            AssertNoSecretIn(Log.Text, Server.Tokens.Secrets);
        Assert.True(left.Length == 0, $"turns nobody gave back: {left}");
    }
}
