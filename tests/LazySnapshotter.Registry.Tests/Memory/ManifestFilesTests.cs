using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;
using LazySnapshotter.TestSupport.Logging;

namespace LazySnapshotter.Registry.Tests.Memory;

// Manifests as files: bounded, and the ones not used for longest go first.
public sealed class ManifestFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-manifests-").FullName;
    private readonly CapturedLogs _log = new();

    [Fact]
    public void They_never_are_more_bytes_than_allowed_and_the_last_used_stay()
    {
        var files = new ManifestFiles(_folder, bytesMax: 50_000, _log);
        var first = Store(files, 0);
        for (var i = 1; i < 200; i++)
        {
            Store(files, i);
            // As if it had been used a moment ago, and all others longer ago.
            foreach (var file in Files())
                file.LastWriteTimeUtc = DateTime.UtcNow.AddHours(-2);
            Assert.NotNull(files.Find(first));
            Assert.True(Files().Sum(file => file.Length) <= 50_000);
        }

        Assert.InRange(Files().Count(), 30, 50);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void What_earlier_processes_stored_counts()
    {
        for (var process = 0; process < 40; process++)
        {
            var files = new ManifestFiles(_folder, bytesMax: 10_000, _log);
            Store(files, process);
            Assert.True(Files().Sum(file => file.Length) <= 10_000);
        }
    }

    [Fact]
    public void A_file_of_another_repository_is_not_this_ones()
    {
        var files = new ManifestFiles(_folder, bytesMax: 50_000, _log);
        var key = Store(files, 1);
        Assert.Null(files.Find(key with { Repository = "other/image" }));
        Assert.Null(files.Find(key with { Registry = "other.example" }));

        // Not even where somebody puts it there.
        var other = key with { Repository = "other/image" };
        var taken = Files().Single().FullName;
        Store(files, 1, "other/image");
        File.Copy(taken, Files().Single(file => file.FullName != taken).FullName, overwrite: true);
        Assert.Null(files.Find(other));
        Assert.Contains("it is no manifest of this repository", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ManifestKey Store(ManifestFiles files, int number, string repository = "library/python")
    {
        var content = Encoding.UTF8.GetBytes($"{number}".PadLeft(1000));
        var key = new ManifestKey("r.example", repository, Digest.OfSha256(content));
        files.Store(key, new ImageDocument(
            new Descriptor { MediaType = MediaTypes.OciManifest, Digest = key.Digest, Size = content.Length }, content));
        return key;
    }

    private IEnumerable<FileInfo> Files() =>
        Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Select(path => new FileInfo(path));
}
