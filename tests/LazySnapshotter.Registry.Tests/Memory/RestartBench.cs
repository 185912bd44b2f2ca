using System.Globalization;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// A registry, and one client after the other with the same memory folder: what a process that restarts has.
internal sealed class RestartBench : IAsyncDisposable
{
    private readonly List<RegistryClient> _clients = [];

    private RestartBench(Bench bench, string folder)
    {
        Bench = bench;
        Folder = folder;
        Client = bench.Client;
    }

    public Bench Bench { get; }

    public TestRegistry Server => Bench.Server;

    /// <summary>Of the memory.</summary>
    public string Folder { get; }

    public string MemoryPath => Path.Combine(Folder, MemoryFile.FileName);

    /// <summary>The process that runs now.</summary>
    public RegistryClient Client { get; private set; }

    public static async Task<RestartBench> StartAsync(TestRegistryOptions? server = null, RegistryOptions? client = null)
    {
        // Not there yet: the client makes it.
        var folder = Path.Combine(Directory.CreateTempSubdirectory("lazysnap-memory-").FullName, "registry");
        // Written when a client ends, and not in between by chance.
        var options = (client ?? Bench.Impatient with { MemoryWriteDelay = TimeSpan.FromHours(1) }) with { MemoryPath = folder };
        return new RestartBench(await Bench.StartAsync(server, options), folder);
    }

    public void Stop() => Client.Dispose();

    public RegistryClient Start(RegistryOptions? options = null)
    {
        Client = new RegistryClient(options ?? Bench.Options, Bench.Log);
        _clients.Add(Client);
        Bench.TakeRequests();
        return Client;
    }

    public void Restart()
    {
        Stop();
        Start();
    }

    public async Task AssertReadsAsync(int offset, int length, RegistryClient? client = null)
    {
        var blob = (client ?? Client).OpenBlob(Bench.Reference, Bench.Blob.Digest, Bench.Blob.Size);
        var read = await Bench.ReadAsync(offset, length, blob);
        Assert.True(read.AsSpan().SequenceEqual(
            Bench.Content.AsSpan(offset, length)), string.Create(CultureInfo.InvariantCulture, $"bytes {offset}+{length} differ"));
    }

    public Task<ResolvedManifest> ResolveAsync(ImageReference? reference = null) =>
        Client.ResolveAsync(reference ?? Bench.Reference, Platform.Current, CancellationToken.None);

    public string TakeRequests() => Bench.TakeRequests();

    /// <summary>Lines that say that nothing, or no longer anything, is remembered.</summary>
    public IEnumerable<string> Warnings() => Bench.Log.Warnings;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        await Bench.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(Folder)!, recursive: true);
    }
}
