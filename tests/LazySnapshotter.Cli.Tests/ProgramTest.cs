using System.Formats.Tar;
using System.IO.Compression;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Cli.Tests;

// The real program in a shell, as people and scripts call it, with a registry that has a few small images:
//
//   small    etc/os-release, and big: 4 MiB that no pipe holds       many     5000 files, whose list no pipe holds
//   both     an index: amd64 and arm64, each with its own etc/arch   empty    no layers
public abstract class ProgramTest : IAsyncLifetime
{
    protected const int BigLength = 4 << 20;
    protected const int ManyCount = 5000;

    protected TestDirectory Directory { get; } = TestDirectory.Create();

    private protected TestRegistry Registry { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Registry = await TestRegistry.StartAsync();
        AddImage("small", Platform.Current, ("etc/os-release", "ID=small\n"), ("big", new string('x', BigLength)));
        AddImage(
            "many", Platform.Current, [.. Enumerable.Range(0, ManyCount).Select(i => ($"a-file-with-a-rather-long-name-{i:0000}", ""))]);
        Registry.Content.AddIndex("both", "1",
        [
            AddImage("both", new Platform { Os = "linux", Architecture = "amd64" }, ("etc/arch", "amd64\n")),
            AddImage("both", new Platform { Os = "linux", Architecture = "arm64" }, ("etc/arch", "arm64\n")),
        ]);
        Registry.Content.AddImage("empty", "1", []);
        await File.WriteAllTextAsync(Directory.Combine("file"), "x\n");
        Directory.MakeDirectory("dir");
        Directory.MakeDirectory("root");
    }

    public async Task DisposeAsync()
    {
        await Registry.DisposeAsync();
        await Directory.DisposeAsync();
    }

    /// <summary>
    /// Runs a line of bash in a folder of its own. It knows $LZ (the program), $D (the test's folder, with a file, a dir and a
    /// root), $SMALL, $MANY, $BOTH and $EMPTY (the images), and a TERM that has colours.
    /// </summary>
    protected Task<ProcessResult> ShellAsync(string line) =>
        ProcessRunner.RunAsync("bash", ["-c", line], environment: new Dictionary<string, string>
    {
        ["LZ"] = LazysnapProcess.ProgramPath,
        ["D"] = Directory.Path,
        ["SMALL"] = $"{Registry.Host}/small:1",
        ["MANY"] = $"{Registry.Host}/many:1",
        ["BOTH"] = $"{Registry.Host}/both:1",
        ["EMPTY"] = $"{Registry.Host}/empty:1",
        ["TERM"] = "xterm-256color",
        ["NO_COLOR"] = "",
    });

    private Descriptor AddImage(string repository, Platform platform, params (string Name, string Content)[] files)
    {
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, content) in files)
                writer.WriteEntry(new PaxTarEntry(
                    TarEntryType.RegularFile, name) { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)) });
        }

        var layer = new MemoryStream();
        using (var gzip = new GZipStream(layer, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(tar.ToArray());
        var blob = Registry.Content.AddBlob(repository, layer.ToArray(), MediaTypes.OciLayerGzip);
        return Registry.Content.AddImage(repository, "1", [blob], [Digest.OfSha256(tar.ToArray())], platform);
    }
}
